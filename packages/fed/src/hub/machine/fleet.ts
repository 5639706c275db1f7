import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { Collector } from "#port/collector.ts";
import type { Shell } from "#port/shell.ts";
import type { WireMachineTick } from "#wire/machine.ts";
import { type Intake, type IntakeNeeds, openIntake } from "./intake.ts";
import { openSessions, type Sessions } from "./loop.ts";
import type { Member } from "./member.ts";
import { watchedMs } from "./session.ts";
import type { Machines } from "./verbs.ts";

export interface FleetNeeds {
  readonly machines: Machines;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly keep: IntakeNeeds["keep"];
  openShell(name: string, member: Member): Shell;
  makeMark(): string;
}

/** The fleet as it is asked and heard: what is told of the machines comes by this. */
export interface LiveFleet extends Pick<Sessions, "begin" | "lookNow" | "heardElsewhere" | "close"> {
  readonly intake: Intake;
  /** Ticks from this call on, of one machine or of all. While somebody reads those of one it ticks every second. */
  ticks(machine: string | undefined, signal: AbortSignal): AsyncIterable<WireMachineTick>;
  isWatched(machine: string): boolean;
  /** Between two ticks of a machine, as things are now. */
  paceMs(machine: string): number;
  /** Hears when somebody begins or ends to watch a machine. */
  onWatch(listener: (machine: string, watched: boolean) => void): () => void;
}

/** A reader that is slower than its machines loses ticks: the next one says as much. */
const waitingTicks = 1_000;
/** Of a machine that is in the fleet no more. */
const usualMs = 10_000;

export function openLiveFleet(needs: FleetNeeds): LiveFleet {
  const { machines } = needs;
  const news = makeBroadcast<WireMachineTick>(waitingTicks);
  const watchers = new Map<string, number>();
  const listeners = new Set<(machine: string, watched: boolean) => void>();
  const intake = openIntake({
    ...needs,
    saw(machine, seen) {
      machines.saw(machine, seen);
      sessions.heard(machine);
    },
    ticked: (tick) => news.send(tick),
  });
  const sessions = openSessions({ ...needs, intake });

  function count(machine: string, by: 1 | -1) {
    const before = watchers.get(machine) ?? 0;
    watchers.set(machine, before + by);
    if (before + by === 0) watchers.delete(machine);
    if (before > 0 && before + by > 0) return;
    sessions.watch(machine, by > 0);
    for (const listener of listeners) listener(machine, by > 0);
  }

  async function* only(machine: string, ticks: AsyncIterable<WireMachineTick>, end: () => void) {
    try {
      for await (const tick of ticks) if (tick.machine === machine) yield tick;
    } finally {
      end();
    }
  }

  return {
    intake,
    begin: sessions.begin,
    lookNow: sessions.lookNow,
    heardElsewhere: sessions.heardElsewhere,
    ticks(machine, signal) {
      const all = news.read(signal);
      if (machine === undefined) return all;
      if (signal.aborted) return all;
      let watching = true;
      const end = () => {
        signal.removeEventListener("abort", end);
        if (watching) count(machine, -1);
        watching = false;
      };
      count(machine, 1);
      signal.addEventListener("abort", end, { once: true });
      return only(machine, all, end);
    },
    isWatched: (machine) => watchers.has(machine),
    paceMs(machine) {
      const intervalMs = machines.fleet.get(machine)?.intervalMs ?? usualMs;
      return watchers.has(machine) ? Math.min(watchedMs, intervalMs) : intervalMs;
    },
    onWatch(listener) {
      const entry = (machine: string, watched: boolean) => listener(machine, watched);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    async close() {
      news.close();
      await sessions.close();
    },
  };
}
