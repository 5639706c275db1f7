import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface EmptyStateProps {
  readonly icon: LucideIcon;
  /** What is not there. */
  readonly title: string;
  /** What to do so that it is. */
  readonly children?: ReactNode;
}

export function EmptyState({ icon: Icon, title, children }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-2 px-4 py-12 text-center">
      <Icon aria-hidden className="size-8 text-faint" />
      <p className="font-semibold text-large">{title}</p>
      {children !== undefined && <div className="flex w-full flex-col items-center gap-3 text-soft">{children}</div>}
    </div>
  );
}
