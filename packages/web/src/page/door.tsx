import { type ReactNode, useEffect } from "react";

/** A page before the sign-in: one thing to do, in the middle. */
export function Door(props: {
  readonly title: string;
  readonly about?: ReactNode;
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}) {
  const { title } = props;
  useEffect(() => {
    document.title = `${title} · fed`;
  }, [title]);
  return (
    <main className="flex min-h-dvh flex-col items-center px-4 pt-[12vh] pb-8">
      <div className="w-full max-w-sm">
        <p className="mb-6 flex items-center gap-2 font-semibold text-large">
          <img src="/icon.svg" alt="" className="size-6" />
          fed
        </p>
        <div className="rounded-large border border-line bg-surface p-6">
          <h1 className="font-semibold text-title">{title}</h1>
          {props.about !== undefined && <p className="mt-1 text-soft">{props.about}</p>}
          <div className="mt-5">{props.children}</div>
        </div>
        {props.foot !== undefined && <p className="mt-4 text-small text-soft">{props.foot}</p>}
      </div>
    </main>
  );
}
