import { type Clock, withDeadline } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import { type OrderNode, order } from "./order.ts";

export type StepOutcome =
  | { readonly kind: "succeeded"; readonly tookMs: number }
  | { readonly kind: "failed"; readonly tookMs: number; readonly thrown: unknown }
  /** Not begun, since this step had failed. */
  | { readonly kind: "skipped"; readonly because: string }
  /** Not begun or broken off, since the run was. */
  | { readonly kind: "cancelled" };

export type GraphEvent<S> =
  | { readonly kind: "started"; readonly step: S }
  | { readonly kind: "ended"; readonly step: S; readonly outcome: StepOutcome };

export interface RunOptions<S> {
  readonly clock: Clock;
  /** Steps at once. */
  readonly concurrency: number;
  /** For each step; it fails with Fault `timeout` then. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  onEvent?(event: GraphEvent<S>): void;
}

/**
 * Runs each step as soon as those before it have succeeded. A failed step makes those after it skipped; the others go
 * on. An abort cancels at every step. Never throws for a step: the outcomes tell. Returns when nothing runs any more.
 */
export async function runGraph<S extends OrderNode>(
  steps: readonly S[],
  execute: (step: S, signal: AbortSignal) => Promise<void>,
  options: RunOptions<S>,
): Promise<ReadonlyMap<string, StepOutcome>> {
  const { clock, signal } = options;
  const sorted = order(steps);
  if (sorted.kind === "cycle") throw toFault(new Error(`steps wait for each other: ${sorted.ids.join(" → ")}`));
  const outcomes = new Map<string, StepOutcome>();
  const ids = new Set(sorted.ids);
  const waiting = new Set(steps);
  const running = new Set<Promise<void>>();

  const end = (step: S, outcome: StepOutcome) => {
    outcomes.set(step.id, outcome);
    options.onEvent?.({ kind: "ended", step, outcome });
  };
  const run = async (step: S) => {
    const startedMs = clock.tickMs();
    const tookMs = () => clock.tickMs() - startedMs;
    options.onEvent?.({ kind: "started", step });
    try {
      await withDeadline(clock, options.deadlineMs, step.id, (inner) => execute(step, inner), signal);
      end(step, { kind: "succeeded", tookMs: tookMs() });
    } catch (thrown) {
      end(step, signal.aborted ? { kind: "cancelled" } : { kind: "failed", tookMs: tookMs(), thrown });
    }
  };
  /** Settles what needs no running; says which steps may start now. */
  const ready = (): S[] => {
    const free: S[] = [];
    for (const step of waiting) {
      const before = step.after.filter((id) => ids.has(id));
      const blocker = before.find((id) => {
        const outcome = outcomes.get(id);
        return outcome !== undefined && outcome.kind !== "succeeded";
      });
      if (signal.aborted || blocker !== undefined) {
        waiting.delete(step);
        end(
          step,
          signal.aborted ? { kind: "cancelled" } : { kind: "skipped", because: rootOf(blocker ?? "", outcomes) },
        );
      } else if (before.every((id) => outcomes.has(id))) free.push(step);
    }
    return free;
  };

  while (waiting.size > 0 || running.size > 0) {
    let free = ready();
    // A skipped step may make others skipped that stood before it in the list.
    while (free.length === 0 && running.size === 0 && waiting.size > 0) free = ready();
    for (const step of free.slice(0, options.concurrency - running.size)) {
      waiting.delete(step);
      const work: Promise<void> = run(step).finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size > 0) await Promise.race(running);
  }
  return outcomes;
}

/** The failed step at the root of a skipped one. */
function rootOf(id: string, outcomes: ReadonlyMap<string, StepOutcome>): string {
  const outcome = outcomes.get(id);
  return outcome?.kind === "skipped" ? outcome.because : id;
}
