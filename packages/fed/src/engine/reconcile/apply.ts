import { type RunOptions, runGraph, type StepOutcome } from "../graph/run.ts";
import { observedHash } from "./hash.ts";
import type { Action, Observed, Plan, Step } from "./plan.ts";

export interface ApplyNeeds extends RunOptions<Step> {
  observe(signal: AbortSignal): Promise<Observed>;
  execute(action: Action, signal: AbortSignal): Promise<void>;
  hash(text: string): string;
}

export type ApplyOutcome =
  | { readonly kind: "done" | "failed" | "cancelled"; readonly steps: ReadonlyMap<string, StepOutcome> }
  /** The world is no longer the one the plan was made for; nothing was done. */
  | { readonly kind: "moved" };

/** Carries out a plan, if the world is still the one it was made for. */
export async function applyPlan(plan: Plan, needs: ApplyNeeds): Promise<ApplyOutcome> {
  const observed = await needs.observe(needs.signal);
  if (observedHash(observed, needs.hash) !== plan.observed) return { kind: "moved" };
  const steps = await runGraph(plan.steps, (step, signal) => needs.execute(step.action, signal), needs);
  const kinds = new Set([...steps.values()].map(({ kind }) => kind));
  if (kinds.has("cancelled")) return { kind: "cancelled", steps };
  return { kind: kinds.has("failed") ? "failed" : "done", steps };
}
