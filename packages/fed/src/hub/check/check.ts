import type { ProbeOutcome } from "#port/probe.ts";

/** What makes something healthy, and how often to ask. */
export interface CheckContract {
  readonly ask:
    | { readonly kind: "http"; readonly path: string }
    | { readonly kind: "tcp" }
    | { readonly kind: "command"; readonly command: readonly string[] }
    /** It runs: that is all anybody knows. */
    | { readonly kind: "running" };
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** How long something new may take to become healthy. */
  readonly withinMs: number;
}

export interface CheckState {
  readonly health: "unknown" | "healthy" | "unhealthy";
  /** Failed probes in a row. */
  readonly failures: number;
  /** What the last failed probe said; empty after a good one. */
  readonly reason: string;
  /** Good probes in a row of what is not known to be healthy yet. */
  readonly successes?: number;
}

export const unknownState: CheckState = { health: "unknown", failures: 0, reason: "" };

/** So many failed probes in a row make what was healthy unhealthy. */
const failuresToUnhealthy = 3;

/** So many good ones in a row make something new healthy: one that answers once may have been about to end. */
const successesToHealthy = 2;

/**
 * The state after one more probe. What was never healthy stays unknown: its deadline is its starter's business. What only has to run is
 * asked once.
 */
export function probed(state: CheckState, outcome: ProbeOutcome, asked: CheckContract["ask"]["kind"]): CheckState {
  if (outcome.kind === "healthy") {
    const successes = (state.successes ?? 0) + 1;
    const isNew = state.health === "unknown" && asked !== "running";
    if (isNew && successes < successesToHealthy) return { health: "unknown", failures: 0, reason: "", successes };
    return { health: "healthy", failures: 0, reason: "" };
  }
  const failures = state.failures + 1;
  const unhealthy = state.health !== "unknown" && failures >= failuresToUnhealthy;
  return { health: unhealthy ? "unhealthy" : state.health, failures, reason: outcome.reason };
}

const firstDelayMs = 25;
/** After the first good one. */
const againMs = 50;

/** How long to wait before the next probe: eager while it starts, then at the contract's pace. */
export function delayMs(state: CheckState, contract: CheckContract): number {
  if (state.health !== "unknown") return contract.everyMs;
  if (state.successes !== undefined) return Math.min(contract.everyMs, againMs);
  return Math.min(contract.everyMs, firstDelayMs * 1.4 ** Math.min(state.failures, 20));
}
