import type { Clock, Timer } from "#base/clock.ts";
import { type Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { GraphEvent, StepOutcome } from "#engine/graph/run.ts";
import { applyPlan } from "#engine/reconcile/apply.ts";
import { diff } from "#engine/reconcile/diff.ts";
import type { Desired, Observed, Plan, Step } from "#engine/reconcile/plan.ts";
import { settlingIn } from "#engine/reconcile/settle.ts";
import type { Progress } from "#wire/progress.ts";
import { startTidyMs, type World } from "./world.ts";

/** No single step may take longer, whatever its own deadline. */
export const stepDeadlineMs = 15 * 60_000;
const concurrency = 16;
/** After a pass that failed for a reason of no service (the ingress refused, the disk is full). */
const retryMs = 1_000;
/** Before a pass that follows on one in which a step failed again that nothing holds back: the first and the longest pause. */
const stubbornMs = { first: 250, longest: 10_000 } as const;

export interface LoopOptions {
  readonly world: Pick<World, "observe" | "execute">;
  readonly clock: Clock;
  readonly trace: Trace;
  hash(text: string): string;
  /** Before each plan that is carried out: ingresses are to lead as is wanted. Throws when the signal aborts alone. */
  announce(signal: AbortSignal): Promise<void>;
  /** What is wanted now; asked after each look, for what cannot be seen is not touched. */
  desired(): Desired;
  /** More is to come by itself: nothing is at rest before that. */
  pending(): boolean;
  /** A plan was made: to be carried out, or to see what is left while others are busy; it may be empty. */
  onPlanned(desired: Desired, observed: Observed, plan: Plan): void;
  /** A step of this service has failed for a reason of its own, just now. */
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
  /** What would be done now; writes nothing. Looks while it is found out what is wanted. */
  plan(desired: Promise<() => Desired>, signal: AbortSignal): Promise<Plan>;
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
  /** Passes in a row in which something failed that is wanted at once again: an ingress refuses a switch, say. */
  let stubborn = 0;
  let hurry = () => {};
  const waiters = new Set<() => void>();

  async function planNow(wanted: () => Desired, signal: AbortSignal) {
    const observed = await world.observe(signal);
    return planOf(wanted(), observed);
  }

  function planOf(desired: Desired, observed: Observed) {
    return { desired, observed, plan: diff(desired, observed, { hash: options.hash, nowMs: clock.nowMs() }) };
  }

  const wakeAfter = (delayMs: number) => {
    timer?.cancel();
    // Whoever is busy then goes on with the next plan: nobody waits for the slowest.
    timer = clock.after(Math.max(1, delayMs), () => wake(true));
  };

  /** Looks again when somebody's pause or trial is over; answers who is on trial. */
  function wakeInTime(desired: Desired, observed: Observed) {
    const holds = desired.services.flatMap(({ hold }) => (hold?.kind === "backOff" ? [hold.untilMs] : []));
    const settling = settlingIn(desired, observed, clock.nowMs());
    const moments = [...holds, ...settling.map(({ untilMs }) => untilMs)];
    if (moments.length > 0) wakeAfter(Math.min(...moments) - clock.nowMs());
    return settling;
  }

  function wake(replan: boolean) {
    dirty = true;
    busy = true;
    if (replan) {
      run.abort(new Error("the plan is out of date"));
      hurry();
    }
    woken.resolve();
  }

  /** The first try again comes at once; those after it take their time, unless there is news. */
  async function takeTime(): Promise<void> {
    if (stubborn < 2) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const pause = clock.after(Math.min(stubbornMs.longest, stubbornMs.first * 2 ** (stubborn - 2)), resolve);
    hurry = resolve;
    await promise;
    hurry = () => {};
    pause.cancel();
  }

  async function pass(): Promise<void> {
    dirty = false;
    run = new AbortController();
    const signal = AbortSignal.any([run.signal, closing.signal]);
    await options.announce(signal);
    const { desired, observed, plan } = await planNow(options.desired, signal);
    options.onPlanned(desired, observed, plan);
    if (plan.steps.length === 0) {
      stubborn = 0;
      return rest(desired, observed, plan);
    }
    wakeInTime(desired, observed);
    let refused = false;
    options.onProgress({ kind: "planned", steps: plan.steps.length, notes: plan.notes });
    const aside = beginAside(plan, signal);
    await applyPlan(plan, {
      observe: (inner) => world.observe(inner),
      execute: (action, inner) => world.execute(action, inner),
      hash: options.hash,
      clock,
      concurrency,
      deadlineMs: stepDeadlineMs,
      // A start that is given up in the end takes back what it has begun.
      tidyMs: startTidyMs + 2_000,
      signal,
      onEvent(event) {
        options.onProgress(progressOf(event));
        if (event.kind === "failed") {
          options.onFailed(event.step, event.fault);
          // A start that fails has a pause of its own.
          refused ||= event.step.action.kind !== "start" && event.step.action.kind !== "check";
        }
        if (event.kind !== "started") aside.ended(event.step);
      },
    });
    await aside.done();
    stubborn = refused ? stubborn + 1 : 0;
    dirty = true;
  }

  /** What is left of those services whose steps have ended is looked at while others are busy: nobody waits for the slowest. */
  function beginAside(plan: Plan, signal: AbortSignal) {
    const left = new Map<string, number>();
    for (const { action } of plan.steps) left.set(action.service, (left.get(action.service) ?? 0) + 1);
    let wished = false;
    let looking = false;
    let looked = Promise.resolve();
    async function look() {
      looking = true;
      try {
        while (wished && !signal.aborted) {
          wished = false;
          const { desired, observed, plan: now } = await planNow(options.desired, signal);
          if (signal.aborted) return;
          options.onPlanned(desired, observed, now);
          wakeInTime(desired, observed);
        }
      } catch (thrown) {
        // The next pass looks as well, and says what is wrong.
        if (!signal.aborted) trace.debug("a look aside failed", { reason: toFault(thrown).message });
      } finally {
        looking = false;
      }
    }
    return {
      ended({ action: { service } }: Step) {
        const more = (left.get(service) ?? 0) - 1;
        if (more > 0) left.set(service, more);
        else left.delete(service);
        if (more > 0 || left.size === 0) return;
        wished = true;
        if (!looking) looked = look();
      },
      done: () => looked,
    };
  }

  function rest(desired: Desired, observed: Observed, plan: Plan) {
    const settling = wakeInTime(desired, observed);
    busy = dirty || settling.length > 0 || options.pending();
    if (settling.length > 0) options.onProgress({ kind: "settling", notes: plan.notes });
    if (busy) return;
    options.onProgress({ kind: "settled", unfinished: plan.notes });
    for (const waiter of [...waiters]) waiter();
  }

  async function turn(): Promise<void> {
    while (!closing.signal.aborted) {
      if (!dirty) await woken.promise;
      woken = Promise.withResolvers<void>();
      await takeTime();
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
    async plan(desired, signal) {
      const [wanted, observed] = await Promise.all([desired, world.observe(signal)]);
      return planOf(wanted(), observed).plan;
    },
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
      hurry();
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
      return { kind: "skipped", step, reason: "a step before it failed" };
    case "cancelled":
      return { kind: "skipped", step, reason: "broken off: something else is to be done now" };
  }
}
