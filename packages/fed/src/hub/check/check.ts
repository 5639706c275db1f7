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
}

export const unknownState: CheckState = { health: "unknown", failures: 0, reason: "" };

/** So many failed probes in a row make what was healthy unhealthy. */
const failuresToUnhealthy = 3;

/** The state after one more probe. What was never healthy stays unknown: its deadline is its starter's business. */
export function probed(state: CheckState, outcome: ProbeOutcome): CheckState {
  if (outcome.kind === "healthy") return { health: "healthy", failures: 0, reason: "" };
  const failures = state.failures + 1;
  const unhealthy = state.health !== "unknown" && failures >= failuresToUnhealthy;
  return { health: unhealthy ? "unhealthy" : state.health, failures, reason: outcome.reason };
}

const firstDelayMs = 25;

/** How long to wait before the next probe: eager while it starts, then at the contract's pace. */
export function delayMs(state: CheckState, contract: CheckContract): number {
  if (state.health !== "unknown") return contract.everyMs;
  return Math.min(contract.everyMs, firstDelayMs * 1.4 ** Math.min(state.failures, 20));
}
