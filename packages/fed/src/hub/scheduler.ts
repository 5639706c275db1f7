import { type Clock, type Timer, withDeadline } from "#base/clock.ts";
import { isFault, toFault } from "#base/fault.ts";
import type { Meter } from "#base/meter.ts";
import type { Trace } from "#base/trace.ts";
import type { LoopStatus } from "#wire/loop.ts";

/** Something the hub does again and again. */
export interface LoopSpec {
  /** `noun.deed`, such as `machine.look`. */
  readonly name: string;
  /** Between the end of one run and the start of the next. */
  readonly intervalMs: number;
  /** Share of the interval by which each wait is longer or shorter, so that loops do not march in step; 0 to 1. */
  readonly jitter: number;
  readonly timeoutMs: number;
  /** The first run comes at once instead of after an interval. */
  readonly immediately?: boolean;
  /** Must end soon after the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface LoopHandle {
  /** Runs it as soon as it does not run; many calls are one run. */
  wake(): void;
}

/** Tells that a run begins; the function it answers tells that it has ended, and why it failed when it did. */
export type BeginRun = () => (failure?: string) => void;

export interface Scheduler {
  add(spec: LoopSpec): LoopHandle;
  /** A loop that turns by itself, for its own reasons: how its runs go is kept as that of the others. */
  follow(loop: Pick<LoopSpec, "name" | "timeoutMs">): BeginRun;
  loops(): readonly LoopStatus[];
  /** Starts nothing any more, asks what runs to end and waits for it, at most five seconds. */
  close(): Promise<void>;
}

export interface SchedulerNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly meter: Meter;
  /** 0 to 1. */
  random?(): number;
  /** A loop failed that went well before, or the other way round. */
  onTurn?(loop: string, outcome: LoopOutcome): void;
}

export interface LoopOutcome {
  readonly kind: "ok" | "failed" | "timedOut";
  readonly reason: string;
}

const closeMs = 5_000;
const outcomes = ["ok", "failed", "timedOut"] as const;

interface Kept {
  status: LoopStatus;
}

interface Entry extends Kept {
  readonly spec: LoopSpec;
  readonly stop: AbortController;
  timer: Timer | undefined;
  woken: boolean;
  /** The run under way; also one that has outlived its deadline. */
  running: Promise<void> | undefined;
}

/** Runs loops: each one at a time, with a deadline, and keeps how it went. */
export function openScheduler(needs: SchedulerNeeds): Scheduler {
  const { clock, trace, meter } = needs;
  const random = needs.random ?? Math.random;
  const entries = new Map<string, Entry>();
  const followed = new Map<string, Kept>();
  const all = () => [...entries.values(), ...followed.values()].map(({ status }) => status);
  const runs = meter.counter("fed_loop_runs_total", "Runs of the hub's loops by outcome.");
  const took = meter.histogram(
    "fed_loop_duration_seconds",
    "How long the runs of a loop took.",
    [0.001, 0.01, 0.1, 1, 10, 60],
  );
  const lastGood = meter.gauge("fed_loop_last_success_timestamp_seconds", "When a loop went well last.");
  meter.watch(
    "fed_loop_last_outcome",
    "gauge",
    "How the last run of a loop went: 1 for its outcome, 0 for the others.",
    () =>
      all().flatMap(({ name, last }) =>
        (last === undefined ? [] : outcomes).map((outcome) => ({
          labels: { loop: name, outcome },
          value: outcome === last?.outcome ? 1 : 0,
        })),
      ),
  );
  let closed = false;

  const refuseSecond = (name: string) => {
    if (entries.has(name) || followed.has(name)) throw new RangeError(`there are two loops ${name}`);
  };

  function waitFor(entry: Entry, delayMs: number) {
    entry.timer?.cancel();
    if (closed) return;
    entry.status = { ...entry.status, state: "waiting", nextMs: clock.nowMs() + delayMs };
    entry.timer = clock.after(delayMs, () => start(entry));
  }

  function start(entry: Entry) {
    if (entry.running || closed) return;
    entry.timer?.cancel();
    entry.woken = false;
    const startedMs = clock.nowMs();
    const startedTick = clock.tickMs();
    const { nextMs: _, ...status } = entry.status;
    entry.status = { ...status, state: "running" };
    const { name, timeoutMs } = entry.spec;
    // What ignores its deadline still runs: the next run waits for it.
    let work: Promise<void> = Promise.resolve();
    const ended = withDeadline(
      clock,
      timeoutMs,
      name,
      (signal) => {
        work = (async () => entry.spec.run(signal))();
        return work;
      },
      entry.stop.signal,
    ).then(
      () => note(entry, { kind: "ok", reason: "" }, startedMs, startedTick),
      (thrown) => {
        if (!entry.stop.signal.aborted) note(entry, outcomeOf(thrown), startedMs, startedTick);
      },
    );
    entry.running = ended
      .then(() => work)
      .catch(() => undefined)
      .then(() => {
        entry.running = undefined;
        if (closed) return;
        const { intervalMs, jitter } = entry.spec;
        waitFor(entry, entry.woken ? 0 : intervalMs * (1 + jitter * (2 * random() - 1)));
      });
  }

  function note(entry: Kept, outcome: LoopOutcome, startedMs: number, startedTick: number) {
    const { name } = entry.status;
    const tookMs = clock.tickMs() - startedTick;
    const wentWell = entry.status.last === undefined || entry.status.last.outcome === "ok";
    entry.status = {
      ...entry.status,
      runs: entry.status.runs + 1,
      failures: entry.status.failures + (outcome.kind === "ok" ? 0 : 1),
      last: { outcome: outcome.kind, startedMs, tookMs, reason: outcome.reason },
    };
    runs.add({ loop: name, outcome: outcome.kind });
    took.observe(tookMs / 1_000, { loop: name });
    if (outcome.kind === "ok") lastGood.set(clock.nowMs() / 1_000, { loop: name });
    if (wentWell === (outcome.kind === "ok")) return;
    if (outcome.kind !== "ok") trace.warn("a loop failed", { loop: name, reason: outcome.reason });
    needs.onTurn?.(name, outcome);
  }

  return {
    add(spec) {
      refuseSecond(spec.name);
      const { name, intervalMs, timeoutMs } = spec;
      const entry: Entry = {
        spec,
        stop: new AbortController(),
        status: { name, intervalMs, timeoutMs, state: "waiting", runs: 0, failures: 0 },
        timer: undefined,
        woken: false,
        running: undefined,
      };
      entries.set(name, entry);
      waitFor(entry, spec.immediately ? 0 : intervalMs * (1 - spec.jitter * random()));
      return {
        wake() {
          if (closed) return;
          entry.woken = true;
          if (!entry.running) waitFor(entry, 0);
        },
      };
    },
    follow({ name, timeoutMs }) {
      refuseSecond(name);
      const kept: Kept = { status: { name, intervalMs: 0, timeoutMs, state: "waiting", runs: 0, failures: 0 } };
      followed.set(name, kept);
      let underWay = 0;
      const setState = () => {
        const state = closed ? "stopped" : underWay > 0 ? "running" : "waiting";
        if (kept.status.state !== state) kept.status = { ...kept.status, state };
      };
      return () => {
        const [startedMs, startedTick] = [clock.nowMs(), clock.tickMs()];
        underWay++;
        setState();
        return (failure) => {
          underWay--;
          setState();
          if (closed) return;
          note(kept, { kind: failure === undefined ? "ok" : "failed", reason: failure ?? "" }, startedMs, startedTick);
        };
      };
    },
    loops: all,
    async close() {
      closed = true;
      for (const kept of followed.values()) kept.status = { ...kept.status, state: "stopped" };
      const running = [...entries.values()].flatMap((entry) => {
        entry.timer?.cancel();
        entry.stop.abort(new Error("the hub is closing"));
        entry.status = { ...entry.status, state: "stopped" };
        return entry.running ?? [];
      });
      if (running.length === 0) return;
      await withDeadline(clock, closeMs, "the end of the loops", () => Promise.all(running)).catch((thrown) =>
        trace.warn("a loop did not end", { reason: toFault(thrown).message }),
      );
    },
  };
}

function outcomeOf(thrown: unknown): LoopOutcome {
  const timedOut = isFault(thrown) && thrown.code === "timeout";
  return { kind: timedOut ? "timedOut" : "failed", reason: toFault(thrown).message };
}
