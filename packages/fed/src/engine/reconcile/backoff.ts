import type { Hold } from "./plan.ts";

/** One try that went wrong: an instance ended unasked, did not start, or was not healthy within its time. */
export interface Failure {
  readonly spec: string;
  readonly atMs: number;
  /** In plain words: "exit code 1". */
  readonly reason: string;
  /** When the instance was started; undefined: nothing ran. */
  readonly startedMs?: number | undefined;
  /**
   * Trying again would not help, or harm: the command does not exist, or an earlier release serves and this one had its
   * try.
   */
  readonly final?: boolean | undefined;
}

/** The failures in a row of one spec of one service. Plain data. */
export interface History {
  readonly spec: string;
  readonly count: number;
  readonly lastMs: number;
  readonly reason: string;
  readonly final: boolean;
}

const firstDelayMs = 1_000;
const longestDelayMs = 30_000;
/** So long in good health, and what was before is forgotten. */
const goodHealthMs = 60_000;
const mostFailures = 8;

/**
 * The history with one more failure. A failure of another spec, or after good health, begins a new one. Replicas that
 * fall together count once: what was started before the last failure tells nothing about the try after it.
 * `healthyMs` is how long it had been healthy.
 */
export function crashed(history: History | undefined, failure: Failure, healthyMs = 0): History {
  const { spec, atMs, reason, final = false, startedMs = Number.POSITIVE_INFINITY } = failure;
  const fresh = history === undefined || history.spec !== spec || healthyMs >= goodHealthMs;
  if (fresh) return { spec, count: 1, lastMs: atMs, reason, final };
  if (startedMs < history.lastMs) return { ...history, reason, final: history.final || final };
  return { spec, count: history.count + 1, lastMs: atMs, reason, final: history.final || final };
}

/**
 * What the history of a service means for starting this spec now: the first restart comes at once, the next after 1 s,
 * 2 s, 4 s and so on, never more than 30 s; after 8 failures it is given up. A new spec begins anew.
 */
export function holdOf(
  history: History | undefined,
  spec: string,
  nowMs: number,
): Extract<Hold, { readonly kind: "backOff" | "gaveUp" }> | undefined {
  if (history === undefined || history.spec !== spec) return undefined;
  const { count: crashes, reason, lastMs, final } = history;
  if (final || crashes >= mostFailures) return { kind: "gaveUp", crashes, last: reason };
  const untilMs = lastMs + delayAfter(crashes);
  return untilMs > nowMs ? { kind: "backOff", untilMs, crashes, last: reason } : undefined;
}

function delayAfter(failures: number): number {
  return failures < 2 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 2));
}
