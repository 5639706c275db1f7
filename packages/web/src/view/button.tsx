import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps, MouseEvent } from "react";
import { cx } from "./class-names.ts";
import { Tooltip } from "./tooltip.tsx";

const kinds = {
  /** The one thing to do here. */
  primary: "border-transparent bg-accent text-on-accent hover:bg-accent-strong",
  plain: "border-edge bg-surface text-ink hover:bg-hover",
  quiet: "border-transparent bg-transparent text-soft hover:bg-hover hover:text-ink",
  /** What cannot be undone. */
  danger: "border-transparent bg-bad text-on-bad hover:bg-bad-strong",
} as const;

const shape =
  "inline-flex shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-base border font-medium transition-colors";
/** What cannot be pressed is told by its colours alone, so that its words and its focus ring can still be seen. */
const shapeOff = "cursor-not-allowed border-line bg-sunken text-faint";
const quietOff = "cursor-not-allowed border-transparent bg-transparent text-faint";

function coloursOf(kind: keyof typeof kinds, off: boolean): string {
  if (!off) return kinds[kind];
  return kind === "quiet" ? quietOff : shapeOff;
}

interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  readonly kind?: keyof typeof kinds;
  readonly size?: "small" | "base";
  readonly icon?: LucideIcon;
  /** It works on it: shows so, and takes no second click. */
  readonly busy?: boolean | undefined;
  readonly disabled?: boolean | undefined;
  /** Why it cannot be pressed: it stays reachable by keyboard so that the reason can be read. */
  readonly reason?: string | undefined;
}

export function Button(props: ButtonProps) {
  const {
    kind = "plain",
    size = "base",
    icon: Icon,
    busy = false,
    reason,
    disabled = false,
    className,
    children,
    onClick,
    ...rest
  } = props;
  const off = busy || reason !== undefined;
  const button = (
    <button
      type="button"
      {...rest}
      disabled={disabled}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => (off ? stop(event) : onClick?.(event))}
      className={cx(
        shape,
        coloursOf(kind, off || disabled),
        size === "small" ? "h-7 px-2 text-small pointer-coarse:h-9" : "h-8 px-3 pointer-coarse:h-10",
        className,
      )}
    >
      {busy ? (
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
      ) : (
        Icon && <Icon aria-hidden className="size-4" />
      )}
      {children}
    </button>
  );
  // A button that may have a reason stays the same element with and without one, and so keeps the focus.
  return "reason" in props ? <Tooltip text={reason}>{button}</Tooltip> : button;
}

/** A form is sent by its button too, unless that is off. */
function stop(event: MouseEvent): void {
  event.preventDefault();
}

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon" | "size"> {
  /** What it does, in words; shown as a tooltip too. */
  readonly label: string;
  readonly icon: LucideIcon;
  /** For a button that stays pressed. */
  readonly pressed?: boolean;
}

export function IconButton({
  label,
  icon: Icon,
  kind = "quiet",
  busy,
  pressed,
  reason,
  disabled = false,
  className,
  ...rest
}: IconButtonProps) {
  const { onClick, ...others } = rest;
  const off = busy === true || reason !== undefined;
  return (
    <Tooltip text={reason ?? label}>
      <button
        type="button"
        {...others}
        disabled={disabled}
        aria-label={label}
        aria-pressed={pressed}
        aria-disabled={off || undefined}
        onClick={(event) => (off ? stop(event) : onClick?.(event))}
        className={cx(
          shape,
          pressed ? "border-transparent bg-accent-wash text-accent" : coloursOf(kind, off || disabled),
          "size-8 pointer-coarse:size-10",
          className,
        )}
      >
        {busy ? <LoaderCircle aria-hidden className="size-4 animate-spin" /> : <Icon aria-hidden className="size-4" />}
      </button>
    </Tooltip>
  );
}
