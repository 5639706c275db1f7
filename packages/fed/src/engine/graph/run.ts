import { childController, untilAborted } from "#base/abort.ts";
import { type Clock, delayedSignal } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import { unreachable } from "#base/unreachable.ts";
import { type GraphNode, order } from "./order.ts";
import { makeQueue } from "./queue.ts";

/** How one step ended. Durations are of the step alone, without its waiting. */
export type StepOutcome =
  | { readonly kind: "succeeded"; readonly tookMs: number }
  | { readonly kind: "failed"; readonly tookMs: number; readonly fault: Fault }
  /** Never begun: the step with the id `because`, which it waited for directly or over others, failed. */
  | { readonly kind: "skipped"; readonly because: string }
  /** Broken off while it ran (then with its time), or never begun. */
  | { readonly kind: "cancelled"; readonly tookMs?: number };

/** What happens in a run, in the order in which it happens. A step has one `started` at most, and exactly one end. */
export type GraphEvent<S extends GraphNode> = { readonly step: S; readonly atMs: number } & (
  | { readonly kind: "started" }
  | StepOutcome
);

export interface GraphOutcome {
  /** `cancelled` when the signal ended the run before all had their turn, else `failed` when a step failed. */
  readonly kind: "done" | "failed" | "cancelled";
  /** One for each step, by id, in the order in which the steps were given. */
  readonly steps: ReadonlyMap<string, StepOutcome>;
}

export interface GraphOptions<S extends GraphNode> {
  readonly clock: Clock;
  /** So many steps run at once, at most. */
  readonly concurrency: number;
  /** No step may take longer: its signal aborts then, and it has failed with Fault `timeout`. */
  readonly deadlineMs: number;
  /**
   * So long a step may go on after its signal has aborted, to leave things tidy; then the run goes on without it.
   * 5 seconds when left out.
   */
  readonly tidyMs?: number | undefined;
  /** Aborted: what runs is broken off, what waits never begins. */
  readonly signal?: AbortSignal | undefined;
  /** Told everything as it happens. What it throws breaks the run off and is thrown by it. */
  readonly onEvent?: ((event: GraphEvent<S>) => void) | undefined;
}

export type ExecuteStep<S extends GraphNode> = (step: S, signal: AbortSignal) => Promise<void>;

/**
 * Runs steps, each as soon as those it waits for have succeeded; of those that may begin, the earlier in the list begins
 * first. A step that fails takes with it only what waits for it. That is an outcome, not a throw; Fault `invalid` is
 * for steps that form no graph, before any has begun. Returns when nothing runs any more.
 */
export async function runGraph<S extends GraphNode>(
  steps: readonly S[],
  execute: ExecuteStep<S>,
  options: GraphOptions<S>,
): Promise<GraphOutcome> {
  refuseMalformed(steps, options.concurrency);
  const { clock } = options;
  const { controller, release } = childController(options.signal);
  const queue = makeQueue(steps);
  const outcomes = new Map<string, StepOutcome>(steps.map(({ id }) => [id, cancelled]));
  const finished = Promise.withResolvers<void>();
  let running = 0;
  let broken: { readonly thrown: unknown } | undefined;

  /** A listener that throws must not leave steps running unheard. */
  const tell = (event: GraphEvent<S>) => {
    try {
      options.onEvent?.(event);
    } catch (thrown) {
      broken ??= { thrown };
      controller.abort(thrown);
    }
  };
  const end = (step: S, outcome: StepOutcome) => {
    outcomes.set(step.id, outcome);
    tell({ step, atMs: clock.nowMs(), ...outcome });
    if (outcome.kind === "succeeded") queue.succeeded(step);
    if (outcome.kind !== "failed") return;
    for (const follower of queue.failed(step)) end(follower, { kind: "skipped", because: step.id });
  };
  const cancelRest = () => {
    for (const step of queue.clear()) end(step, cancelled);
  };
  const begin = async (step: S) => {
    running++;
    tell({ kind: "started", step, atMs: clock.nowMs() });
    end(step, await runStep(step, execute, options, controller.signal));
    running--;
    advance();
  };
  const advance = () => {
    while (running < options.concurrency) {
      const step = queue.take();
      if (!step) break;
      void begin(step);
    }
    if (running === 0) finished.resolve();
  };

  controller.signal.addEventListener("abort", cancelRest, { once: true });
  if (controller.signal.aborted) cancelRest();
  advance();
  await finished.promise;
  release();
  if (broken) throw broken.thrown;
  return { kind: kindOf(outcomes), steps: outcomes };
}

const cancelled: StepOutcome = { kind: "cancelled" };
const defaultTidyMs = 5_000;

function kindOf(outcomes: ReadonlyMap<string, StepOutcome>): GraphOutcome["kind"] {
  const kinds = new Set(Array.from(outcomes.values(), ({ kind }) => kind));
  if (kinds.has("cancelled")) return "cancelled";
  return kinds.has("failed") ? "failed" : "done";
}

/** Runs one step under its deadline. Never rejects. */
async function runStep<S extends GraphNode>(
  step: S,
  execute: ExecuteStep<S>,
  { clock, deadlineMs, tidyMs = defaultTidyMs }: GraphOptions<S>,
  runSignal: AbortSignal,
): Promise<StepOutcome> {
  if (runSignal.aborted) return cancelled;
  const beganMs = clock.tickMs();
  const { controller, release } = childController(runSignal);
  const late = new Fault("timeout", `${step.id} took longer than ${deadlineMs} ms`);
  const deadline = clock.after(deadlineMs, () => controller.abort(late));
  const patience = delayedSignal(clock, tidyMs, controller.signal);
  let fault: Fault | undefined;
  try {
    const work = (async () => execute(step, controller.signal))();
    await untilAborted(work, patience.signal);
  } catch (thrown) {
    fault = toFault(thrown);
  } finally {
    deadline.cancel();
    patience.release();
    release();
  }
  const tookMs = clock.tickMs() - beganMs;
  if (controller.signal.reason === late) return { kind: "failed", tookMs, fault: late };
  if (!fault) return { kind: "succeeded", tookMs };
  return controller.signal.aborted ? { kind: "cancelled", tookMs } : { kind: "failed", tookMs, fault };
}

function refuseMalformed(steps: readonly GraphNode[], concurrency: number): void {
  if (!(concurrency >= 1)) throw new Fault("invalid", "at least one step must be allowed to run at once");
  const outcome = order(steps);
  switch (outcome.kind) {
    case "ordered":
      return;
    case "cycle":
      throw new Fault("invalid", `steps wait for each other: ${[...outcome.cycle, outcome.cycle[0]].join(" → ")}`);
    case "duplicate":
      throw new Fault("invalid", `two steps have the id "${outcome.id}"`);
    case "unknown":
      throw new Fault("invalid", `step "${outcome.id}" waits for "${outcome.after}", which is not among the steps`);
    default:
      unreachable(outcome);
  }
}
