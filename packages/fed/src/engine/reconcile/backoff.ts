import type { Hold } from "./plan.ts";

/** How often a service has failed lately. Forgotten on a new spec, by request, and after a minute of good health. */
export interface History {
  readonly spec: string;
  readonly failures: number;
  readonly lastMs: number;
  /** In plain words. */
  readonly last: string;
  /** Trying again by itself would not help, or would harm. */
  readonly final: boolean;
}

export interface Failure {
  readonly spec: string;
  readonly atMs: number;
  readonly reason: string;
  /** Not to be tried again by itself: the version never became healthy while an earlier one serves, or it cannot start at all. */
  readonly final: boolean;
}

export const backOff = { firstMs: 1_000, maxMs: 30_000, failuresToGiveUp: 8, forgiveAfterMs: 60_000 } as const;

/** The history with one more failure. `healthyMs`: how long it had been healthy before. */
export function crashed(history: History | undefined, failure: Failure, healthyMs: number): History {
  const fresh = history?.spec !== failure.spec || healthyMs >= backOff.forgiveAfterMs;
  const failures = fresh ? 1 : (history?.failures ?? 0) + 1;
  return { spec: failure.spec, failures, lastMs: failure.atMs, last: failure.reason, final: failure.final };
}

/** Whether to hold back from starting now: the first restart comes at once, then 1 s, 2 s, 4 s … 30 s, then never. */
export function holdOf(history: History | undefined, spec: string, nowMs: number): Hold | undefined {
  if (history?.spec !== spec) return undefined;
  const { failures, last } = history;
  if (history.final || failures >= backOff.failuresToGiveUp) return { kind: "gaveUp", crashes: failures, last };
  if (failures < 2) return undefined;
  const untilMs = history.lastMs + Math.min(backOff.maxMs, backOff.firstMs * 2 ** (failures - 2));
  return untilMs > nowMs ? { kind: "backOff", untilMs, crashes: failures } : undefined;
}
