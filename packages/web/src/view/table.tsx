import type { ComponentProps, ReactNode } from "react";
import { cx } from "./class-names.ts";

interface TableProps {
  /** What is listed; read out, not shown. */
  readonly label: string;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A table that scrolls sideways inside of its own frame when the screen is too narrow for it. */
export function Table({ label, children, className }: TableProps) {
  return (
    <div className="relative overflow-x-auto">
      <table aria-label={label} className={cx("w-full border-collapse text-left", className)}>
        {children}
      </table>
    </div>
  );
}

export function HeadCell({ className, ...rest }: ComponentProps<"th">) {
  return (
    <th
      scope="col"
      className={cx("whitespace-nowrap border-line border-b px-4 py-2 font-medium text-small text-soft", className)}
      {...rest}
    />
  );
}

export function Row({ className, ...rest }: ComponentProps<"tr">) {
  return <tr className={cx("border-line border-b last:border-b-0", className)} {...rest} />;
}

interface CellProps extends ComponentProps<"td"> {
  /** What is inside reaches the edges, such as a link that fills it. */
  readonly flush?: boolean;
}

export function Cell({ flush = false, className, ...rest }: CellProps) {
  return <td className={cx("align-middle", !flush && "px-4 py-row", className)} {...rest} />;
}
