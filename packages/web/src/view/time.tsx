import { cx } from "./class-names.ts";
import { ageStepMs, ageText, bytesText, durationText, momentText } from "./format.ts";
import { useNow } from "./now.ts";

interface TimeProps {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly className?: string;
}

/** How long ago it was, which goes on by itself; in full for who hovers or listens. */
export function Time({ atMs, className }: TimeProps) {
  const past = atMs <= Date.now();
  const tickMs = useNow(ageStepMs(Date.now() - atMs));
  // The tick may be older than what has just happened.
  const nowMs = past ? Math.max(tickMs, atMs) : tickMs;
  return (
    <time
      dateTime={new Date(atMs).toISOString()}
      title={momentText(atMs)}
      className={cx("whitespace-nowrap", className)}
    >
      {ageText(atMs, nowMs)}
    </time>
  );
}

export function Duration({ ms, className }: { readonly ms: number; readonly className?: string }) {
  return <span className={className}>{durationText(ms)}</span>;
}

export function Bytes({ bytes, className }: { readonly bytes: number; readonly className?: string }) {
  return <span className={className}>{bytesText(bytes)}</span>;
}
