import { type ReactNode, useId } from "react";
import { cx } from "./class-names.ts";

interface CardProps {
  readonly title?: ReactNode;
  /** Beside the title. */
  readonly actions?: ReactNode;
  /** Below the title, in one line of plain words. */
  readonly about?: ReactNode;
  /** What is inside reaches the edges, such as a table. */
  readonly flush?: boolean;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A part of a page with its title. */
export function Card({ title, actions, about, flush = false, children, className }: CardProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={title === undefined ? undefined : id}
      className={cx("min-w-0 overflow-hidden rounded-large border border-line bg-surface", className)}
    >
      {title !== undefined && (
        <header className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 border-line border-b px-4 py-2">
          <div className="min-w-0 flex-1">
            <h2 id={id} className="font-semibold text-base">
              {title}
            </h2>
            {about !== undefined && <p className="text-small text-soft">{about}</p>}
          </div>
          {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}
