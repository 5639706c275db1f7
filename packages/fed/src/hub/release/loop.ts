import { type Clock, sleep, type Timer, withDeadline } from "#base/clock.ts";
import { type Fault, isFault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Artifact, Rollout } from "./release.ts";

/** Building, pulling and carrying together. */
export const prepareDeadlineMs = 45 * 60_000;
/** Machines build, pull and carry side by side, but not without end. */
const concurrency = 4;
/** A machine or a registry that cannot be reached may be back in a moment. */
const pausesMs = [2_000, 8_000] as const;
const sweepDeadlineMs = 5 * 60_000;
/** How often it is looked whether one of those that are rolling takes too long. */
const lookMs = 5_000;
/** After what could not be written down. */
const afterDefectMs = 30_000;

export interface PrepareLoopOptions {
  readonly clock: Clock;
  readonly trace: Trace;
  /** Rollouts that are preparing, by age. */
  preparing(): readonly Rollout[];
  prepare(rollout: Rollout, signal: AbortSignal): Promise<Artifact>;
  prepared(rollout: Rollout, artifact: Artifact): void;
  failed(rollout: Rollout, fault: Fault): void;
  /** Some rollout is rolling. */
  isRolling(): boolean;
  /** Ends those that are rolling and take too long. */
  endOverdue(): void;
  /** Removes what is too old to go back to. */
  sweep(signal: AbortSignal): Promise<void>;
}

export interface PrepareLoop {
  /** Begins to turn; before, waking only takes note. */
  begin(): void;
  /** Something may be to prepare. */
  wake(): void;
  /** Something may be too old. */
  wakeSweep(): void;
  /** Gives up what is done for a rollout that is open no more. */
  drop(rollout: string): void;
  /** Breaks off what is under way; the next hub takes it up. */
  close(): Promise<void>;
}

/** Makes what rollouts need, side by side; the only place of this noun that waits. */
export function openPrepareLoop(options: PrepareLoopOptions): PrepareLoop {
  const { clock, trace } = options;
  const closing = new AbortController();
  const running = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  let begun = false;
  let sweepAsked = false;
  let sweeping: Promise<void> = Promise.resolve();
  let looking: Timer | undefined;

  async function attempt(rollout: Rollout, signal: AbortSignal): Promise<Artifact> {
    for (let tries = 0; ; tries++) {
      try {
        return await options.prepare(rollout, signal);
      } catch (thrown) {
        const pauseMs = pausesMs[tries];
        if (signal.aborted || pauseMs === undefined || !(isFault(thrown) && thrown.code === "unreachable"))
          throw thrown;
        await sleep(clock, pauseMs, signal);
      }
    }
  }

  async function run(rollout: Rollout, stop: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stop, closing.signal]);
    try {
      const what = `preparing ${rollout.environment}/${rollout.service}`;
      const artifact = await withDeadline(clock, prepareDeadlineMs, what, (inner) => attempt(rollout, inner), signal);
      if (!signal.aborted) options.prepared(rollout, artifact);
    } catch (thrown) {
      if (signal.aborted) return;
      options.failed(rollout, toFault(thrown));
    }
  }

  function lookLater() {
    if (looking !== undefined || !options.isRolling()) return;
    looking = clock.after(lookMs, () => {
      looking = undefined;
      try {
        options.endOverdue();
      } catch (thrown) {
        trace.warn("a rollout that takes too long could not be ended", { reason: toFault(thrown).message });
      }
      lookLater();
    });
  }

  function wake() {
    if (!begun || closing.signal.aborted) return;
    lookLater();
    for (const rollout of options.preparing()) {
      if (running.size >= concurrency) return;
      if (running.has(rollout.id)) continue;
      const stop = new AbortController();
      const ended = run(rollout, stop.signal)
        // Not even its failure could be written down, as on a full disk: it stays as it is, and is taken up again.
        .catch((thrown) => {
          trace.error("a rollout could not be prepared", { reason: toFault(thrown).message });
          return sleep(clock, afterDefectMs, closing.signal).catch(() => undefined);
        })
        .finally(() => {
          running.delete(rollout.id);
          wake();
        });
      running.set(rollout.id, { stop, ended });
    }
  }

  function wakeSweep() {
    if (sweepAsked) return;
    sweepAsked = true;
    if (!begun || closing.signal.aborted) return;
    sweeping = sweeping.then(async () => {
      sweepAsked = false;
      await withDeadline(clock, sweepDeadlineMs, "clearing away old releases", options.sweep, closing.signal);
    });
    sweeping = sweeping.catch((thrown) => {
      if (closing.signal.aborted) return;
      trace.warn("old releases could not be cleared away", { reason: toFault(thrown).message });
    });
  }

  return {
    begin() {
      begun = true;
      sweepAsked = false;
      wake();
      wakeSweep();
    },
    wake,
    wakeSweep,
    drop: (rollout) => running.get(rollout)?.stop.abort(new Error("the rollout has ended")),
    async close() {
      closing.abort(new Error("the hub is closing"));
      looking?.cancel();
      await Promise.all([...running.values()].map(({ ended }) => ended));
      await sweeping;
    },
  };
}
