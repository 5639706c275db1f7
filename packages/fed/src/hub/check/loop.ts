import { type Clock, sleep } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import { unreachable } from "#base/unreachable.ts";
import type { Probe, ProbeAddress, ProbeOutcome } from "#port/probe.ts";
import { type CheckContract, type CheckState, delayMs, probed, unknownState } from "./check.ts";

/** Something to keep an eye on. */
export interface CheckTarget {
  readonly contract: CheckContract;
  readonly address: ProbeAddress;
  /** Where and with what a command check runs. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Runs the command where the target itself is; beside the hub when left out. */
  readonly run?: (command: readonly string[], timeoutMs: number, signal: AbortSignal) => Promise<ProbeOutcome>;
}

export interface Checks {
  /** Starts probing; a second call for the same id changes nothing. */
  track(id: string, target: CheckTarget): void;
  untrack(id: string): void;
  stateOf(id: string): CheckState;
  /** For how long it has been tracked without a break; 0 when it is not. */
  trackedMs(id: string): number;
  close(): void;
}

export interface ChecksOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  /** A probe begins; what it answers hears that it has ended, and why when it could not be asked at all. */
  beginRun(): (failure?: string) => void;
  /** The health of a target has changed (not: one more failed probe). */
  onChange(id: string, state: CheckState): void;
}

/** Probes every tracked target, each at its own pace, one probe at a time. */
export function openChecks(options: ChecksOptions): Checks {
  const tracked = new Map<string, { state: CheckState; readonly sinceTick: number; readonly stop: AbortController }>();

  async function keepProbing(id: string, target: CheckTarget, entry: { state: CheckState }, signal: AbortSignal) {
    while (!signal.aborted) {
      const end = options.beginRun();
      let failure: string | undefined;
      const outcome = await ask(options.probe, target, signal).catch((thrown): ProbeOutcome => {
        failure = toFault(thrown).message;
        return { kind: "unhealthy", reason: failure };
      });
      end(signal.aborted ? undefined : failure);
      if (signal.aborted) return;
      const before = entry.state;
      entry.state = probed(before, outcome, target.contract.ask.kind);
      if (entry.state.health !== before.health) options.onChange(id, entry.state);
      if (target.contract.ask.kind === "running") return;
      await sleep(options.clock, delayMs(entry.state, target.contract), signal);
    }
  }

  return {
    track(id, target) {
      if (tracked.has(id)) return;
      const entry = { state: unknownState, sinceTick: options.clock.tickMs(), stop: new AbortController() };
      tracked.set(id, entry);
      keepProbing(id, target, entry, entry.stop.signal).catch((thrown) => {
        if (!entry.stop.signal.aborted) throw thrown;
      });
    },
    untrack(id) {
      tracked.get(id)?.stop.abort();
      tracked.delete(id);
    },
    stateOf: (id) => tracked.get(id)?.state ?? unknownState,
    trackedMs(id) {
      const now = options.clock.tickMs();
      return now - (tracked.get(id)?.sinceTick ?? now);
    },
    close() {
      for (const entry of tracked.values()) entry.stop.abort();
      tracked.clear();
    },
  };
}

async function ask(probe: Probe, target: CheckTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  const { ask: question, timeoutMs } = target.contract;
  switch (question.kind) {
    case "http":
      return probe.http(target.address, question.path, timeoutMs, signal);
    case "tcp":
      return probe.tcp(target.address, timeoutMs, signal);
    case "command":
      if (target.run) return target.run(question.command, timeoutMs, signal);
      return probe.command(
        { command: question.command, folder: target.folder, environment: target.environment },
        timeoutMs,
        signal,
      );
    case "running":
      return { kind: "healthy", tookMs: 0 };
    default:
      return unreachable(question);
  }
}
