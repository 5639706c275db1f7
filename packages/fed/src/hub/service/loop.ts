import type { Clock, Timer } from "#base/clock.ts";
import { type Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { GraphEvent, StepOutcome } from "#engine/graph/run.ts";
import { type ApplyOutcome, applyPlan } from "#engine/reconcile/apply.ts";
import { diff } from "#engine/reconcile/diff.ts";
import type { Desired, Plan, Step } from "#engine/reconcile/plan.ts";
import type { Progress } from "#wire/progress.ts";
import type { World } from "./world.ts";

/** No single step may take longer, whatever its own deadline. */
export const stepDeadlineMs = 15 * 60_000;
const concurrency = 16;
/** After a pass that failed for a reason of no service (the ingress refused, the disk is full). */
const retryMs = 1_000;

export interface LoopOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly trace: Trace;
  hash(text: string): string;
  /** What is wanted now. */
  desired(): Desired;
  /** A step of this service has failed for a reason of its own. */
  onFailed(step: Step, fault: Fault): void;
  onProgress(progress: Progress): void;
  /** A pass begins; what it answers hears that it has ended, and why when it failed. */
  beginRun(): (failure?: string) => void;
}

export interface Loop {
  /** Starts turning; before, waking only takes note. */
  begin(): void;
  /** Looks again at once. `replan`: what is under way is broken off, for the plan it belongs to is out of date. */
  wake(replan: boolean): void;
  /** What would be done now; writes nothing. */
  plan(desired: Desired, signal: AbortSignal): Promise<Plan>;
  /** Resolves when nothing is left to do but what is held back. */
  settled(signal: AbortSignal): Promise<void>;
  readonly busy: boolean;
  /** Ends after the step under way. */
  close(): Promise<void>;
}

/** Makes the world equal to the wish, again and again: look, plan, run, look again. The only place of this noun that waits. */
export function openLoop(options: LoopOptions): Loop {
  const { world, clock, trace } = options;
  const closing = new AbortController();
  let run = new AbortController();
  let woken = Promise.withResolvers<void>();
  let dirty = true;
  let timer: Timer | undefined;
  let busy = true;
  const waiters = new Set<() => void>();

  const planNow = async (desired: Desired, signal: AbortSignal) =>
    diff(desired, await world.observe(signal), { hash: options.hash, nowMs: clock.nowMs() });

  const wakeAfter = (delayMs: number) => {
    timer?.cancel();
    timer = clock.after(Math.max(1, delayMs), () => wake(false));
  };

  function wake(replan: boolean) {
    dirty = true;
    busy = true;
    if (replan) run.abort(new Error("the plan is out of date"));
    woken.resolve();
  }

  async function pass(): Promise<void> {
    dirty = false;
    run = new AbortController();
    const signal = AbortSignal.any([run.signal, closing.signal]);
    const desired = options.desired();
    const plan = await planNow(desired, signal);
    if (plan.steps.length === 0) return rest(desired, plan);
    options.onProgress({ kind: "planned", steps: plan.steps.length, notes: plan.notes });
    const outcome = await applyPlan(plan, {
      observe: (inner) => world.observe(inner),
      execute: (action, inner) => world.execute(action, inner),
      hash: options.hash,
      clock,
      concurrency,
      deadlineMs: stepDeadlineMs,
      signal,
      onEvent: (event) => options.onProgress(progressOf(event)),
    });
    noteFailures(plan, outcome);
    dirty = true;
  }

  function noteFailures(plan: Plan, outcome: ApplyOutcome) {
    if (outcome.kind === "moved" || outcome.kind === "cancelled") return;
    for (const step of plan.steps) {
      const ended = outcome.steps.get(step.id);
      if (ended?.kind === "failed") options.onFailed(step, ended.fault);
    }
  }

  function rest(desired: Desired, plan: Plan) {
    const holds = desired.services.flatMap(({ hold }) => (hold?.kind === "backOff" ? [hold.untilMs] : []));
    if (holds.length > 0) wakeAfter(Math.min(...holds) - clock.nowMs());
    busy = dirty;
    if (busy) return;
    options.onProgress({ kind: "settled", unfinished: plan.notes });
    for (const waiter of [...waiters]) waiter();
  }

  async function turn(): Promise<void> {
    while (!closing.signal.aborted) {
      if (!dirty) await woken.promise;
      woken = Promise.withResolvers<void>();
      if (closing.signal.aborted) return;
      const end = options.beginRun();
      let failure: string | undefined;
      try {
        await pass();
      } catch (thrown) {
        if (run.signal.aborted || closing.signal.aborted) continue;
        failure = toFault(thrown).message;
        trace.error("a pass of the reconcile loop failed", { reason: failure });
        wakeAfter(retryMs);
      } finally {
        end(failure);
      }
    }
  }

  let turning: Promise<void> = Promise.resolve();
  return {
    begin() {
      turning = turn();
    },
    wake,
    plan: planNow,
    async settled(signal) {
      if (!busy) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      waiters.add(resolve);
      try {
        await promise;
      } finally {
        waiters.delete(resolve);
        signal.removeEventListener("abort", stop);
      }
    },
    get busy() {
      return busy;
    },
    async close() {
      closing.abort(new Error("the hub is closing"));
      timer?.cancel();
      woken.resolve();
      await turning;
    },
  };
}

function progressOf(event: GraphEvent<Step>): Progress {
  if (event.kind === "started") return { kind: "started", step: event.step };
  return endedProgress(event.step, event);
}

function endedProgress(step: Step, outcome: StepOutcome): Progress {
  switch (outcome.kind) {
    case "succeeded":
      return { kind: "succeeded", step, tookMs: outcome.tookMs };
    case "failed":
      return { kind: "failed", step, tookMs: outcome.tookMs, reason: outcome.fault.message };
    case "skipped":
      return { kind: "skipped", step, reason: `${outcome.because} failed` };
    case "cancelled":
      return { kind: "skipped", step, reason: "the plan is out of date" };
  }
}
