import type { GraphOptions, GraphOutcome } from "#engine/graph/run.ts";
import { runGraph } from "#engine/graph/run.ts";
import { observedHash } from "./observed-hash.ts";
import type { Action, Observed, Plan, Step } from "./plan.ts";

export interface ApplyOptions extends GraphOptions<Step> {
  /** What is there now. */
  observe(signal: AbortSignal): Promise<Observed>;
  /** Does what one step says, or throws a Fault. Returns when it is done and not before. */
  execute(action: Action, signal: AbortSignal): Promise<void>;
  /** The hash the plan was made with. */
  hash(text: string): string;
}

export type ApplyOutcome =
  | GraphOutcome
  /** What is there is not what the plan was made for; nothing was done. */
  | { readonly kind: "moved"; readonly planned: string; readonly found: string };

/**
 * Looks again and, when what is there is still what the plan was made for, carries it out. A step that fails is part of
 * the outcome; what `observe` throws is thrown.
 */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<ApplyOutcome> {
  const { execute, hash, signal = new AbortController().signal } = options;
  const found = observedHash(await options.observe(signal), hash);
  if (found !== plan.observed) return { kind: "moved", planned: plan.observed, found };
  return runGraph(plan.steps, (step, stepSignal) => execute(step.action, stepSignal), options);
}
