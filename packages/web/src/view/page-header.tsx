import { type ReactNode, useEffect } from "react";

interface PageHeaderProps {
  readonly title: string;
  /** Beside the title: a state, a count. */
  readonly aside?: ReactNode;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
}

/** The title of a page, which is the tab's title too. */
export function PageHeader({ title, aside, about, actions }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} · fed`;
  }, [title]);
  return (
    <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 pb-4">
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="[overflow-wrap:anywhere] font-semibold text-title">{title}</h1>
          {aside}
        </div>
        {about !== undefined && <p className="text-soft">{about}</p>}
      </div>
      {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}
