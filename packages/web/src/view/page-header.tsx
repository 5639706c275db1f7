import { Link } from "@tanstack/react-router";
import { ChevronLeft } from "lucide-react";
import { type ReactNode, useEffect } from "react";

interface PageHeaderProps {
  readonly title: string;
  /** Which part of the page is shown, for the tab's title. */
  readonly part?: string | undefined;
  /** Beside the title: a state, a count. */
  readonly aside?: ReactNode;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
}

/** The title of a page, which is the tab's title too. */
export function PageHeader({ title, part, aside, about, actions }: PageHeaderProps) {
  useEffect(() => {
    document.title = part === undefined ? `${title} · fed` : `${part} · ${title} · fed`;
  }, [title, part]);
  return (
    <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 pb-4">
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="[overflow-wrap:anywhere] font-semibold text-title">{title}</h1>
          {aside}
        </div>
        {about !== undefined && <p className="text-soft [overflow-wrap:anywhere]">{about}</p>}
      </div>
      {actions !== undefined && (
        <div className="flex max-sm:has-[input]:w-full flex-wrap items-center gap-2">{actions}</div>
      )}
    </header>
  );
}

/** Above the title of one of many: the way to all of them. */
export function WayBack({ to, children }: { readonly to: "/machines" | "/services"; readonly children: string }) {
  return (
    <Link
      to={to}
      className="-ml-1 mb-1 inline-flex items-center gap-1 text-small text-soft hover:text-ink pointer-coarse:-mt-2 pointer-coarse:min-h-9"
    >
      <ChevronLeft aria-hidden className="size-4" />
      {children}
    </Link>
  );
}
