import { untilAborted } from "#base/abort.ts";
import { type Clock, sleep, type Timer } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Collector, RawTick } from "#port/collector.ts";
import type { Shell } from "#port/shell.ts";
import { type Aside, openAside } from "./aside.ts";
import { openChannel } from "./channel.ts";
import type { Asked, Intake } from "./intake.ts";
import { isGone } from "./machine.ts";
import { isSamePlace, type Member } from "./member.ts";
import {
  afterAnswer,
  afterAsking,
  afterFailure,
  afterGivingUp,
  afterMiss,
  afterStrike,
  afterWatch,
  askNow,
  beginRhythm,
  dueSections,
  graceMs,
  isStuck,
  wakeMs,
} from "./session.ts";
import type { Machines } from "./verbs.ts";

export interface SessionNeeds {
  readonly machines: Pick<Machines, "fleet" | "onFleet" | "saw" | "triedInVain" | "isGone" | "report">;
  readonly intake: Intake;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly trace: Trace;
  openShell(name: string, member: Member): Shell;
  /** Letters and digits that nobody can guess. */
  makeMark(): string;
}

/** Keeps asking every machine of the fleet, and misses those that do not answer, also those that report by themselves. */
export interface Sessions {
  /** Nothing is asked before. */
  begin(): void;
  /** A tick now, with all there is to tell; returns when it has come, or will not. Nothing to a machine that reports by itself. */
  lookNow(name: string, signal: AbortSignal): Promise<void>;
  /** It is asked every second until the returned function is called. */
  watch(name: string, watched: boolean): void;
  /** It has reported by itself. */
  heard(name: string): void;
  /**
   * Something else on it has answered (an exporter), which is asked at this interval: while its shell does not it is degraded, not
   * gone.
   */
  heardElsewhere(name: string, everyMs: number): void;
  close(): Promise<void>;
}

/** Looking now ends at last after this. */
const lookMs = 15_000;
/** Machines that come together are asked this much apart, or closer if there are many. */
const fewMachines = 50;

export function openSessions(needs: SessionNeeds): Sessions {
  const { machines, intake, trace } = needs;
  const sessions = new Map<string, Session>();
  const closing = new Set<Promise<unknown>>();
  const watched = new Set<string>();

  function end(name: string, session: Session) {
    sessions.delete(name);
    const closed = session.close().catch((thrown) => {
      trace.warn("a session did not end well", { machine: name, reason: toFault(thrown).message });
    });
    closing.add(closed);
    void closed.finally(() => closing.delete(closed));
  }

  function follow() {
    const { fleet } = machines;
    for (const [name, session] of sessions) {
      const member = fleet.get(name);
      if (member && session.takes(member)) continue;
      end(name, session);
      if (member) intake.restart(name);
      else void intake.forget(name);
    }
    const fresh = [...fleet].filter(([name]) => !sessions.has(name));
    fresh.forEach(([name, member], at) => {
      const session = openSession(needs, name, member, at / Math.max(fewMachines, fresh.length));
      session.watch(watched.has(name));
      sessions.set(name, session);
    });
  }

  let deafen = () => {};
  return {
    begin() {
      deafen = machines.onFleet(follow);
      follow();
    },
    async lookNow(name, signal) {
      await sessions.get(name)?.lookNow(signal);
    },
    watch(name, on) {
      if (on) watched.add(name);
      else watched.delete(name);
      sessions.get(name)?.watch(on);
    },
    heard: (name) => sessions.get(name)?.heard(),
    heardElsewhere: (name, everyMs) => sessions.get(name)?.heardElsewhere(everyMs),
    async close() {
      deafen();
      for (const [name, session] of sessions) end(name, session);
      await Promise.all(closing);
    },
  };
}

interface Session {
  /** Goes on with the machine as it is in the fleet now; false when it has to begin anew. */
  takes(member: Member): boolean;
  lookNow(signal: AbortSignal): Promise<void>;
  watch(on: boolean): void;
  heard(): void;
  heardElsewhere(everyMs: number): void;
  close(): Promise<void>;
}

function openSession(needs: SessionNeeds, name: string, first: Member, part: number): Session {
  const { clock, machines, intake } = needs;
  let member = first;
  let rhythm = beginRhythm(member.intervalMs, part, clock.tickMs());
  let why = "";
  let elsewhere = { atMs: -Infinity, everyMs: 0 };
  /** When the first of the misses in a row was. */
  let missedMs = 0;
  let timer: Timer | undefined;
  let closed = false;
  const shell = first.mode === "push" ? undefined : needs.openShell(name, member);
  const channel = shell && openChannel({ ...needs, machine: name, shell }, { heard, failed, broken });
  const aside = shell && openAsideOf(needs, name, shell, part, take);
  const sections = needs.collector.sections.filter((one) => !one.slow);
  if (!channel) rhythm = { ...rhythm, askMs: Infinity, missMs: clock.tickMs() + member.intervalMs + graceMs };
  let asked: { readonly names: readonly string[]; readonly atMs: number; readonly tickMs: number } | undefined;
  let everything = false;
  let outcome = Promise.withResolvers<unknown>();

  function arm() {
    timer?.cancel();
    if (!closed) timer = clock.after(Math.max(0, wakeMs(rhythm) - clock.tickMs()), wake);
  }

  function wake() {
    const nowMs = clock.tickMs();
    if (nowMs >= rhythm.missMs) miss(nowMs);
    if (channel && rhythm.underWay === undefined && nowMs >= rhythm.askMs) ask(nowMs);
    arm();
  }

  function ask(nowMs: number) {
    const names = everything ? sections.map((one) => one.name) : dueSections(sections, rhythm, nowMs);
    everything = false;
    rhythm = afterAsking(rhythm, names, nowMs);
    channel?.ask(rhythm.sequence, names, () => {
      asked = { names, atMs: clock.nowMs(), tickMs: clock.tickMs() };
    });
  }

  function miss(nowMs: number) {
    const reason = why || `no answer within ${graceMs / 1_000} s`;
    if (rhythm.misses === 0) missedMs = nowMs;
    rhythm = afterMiss(rhythm, nowMs);
    if (isStuck(rhythm)) {
      channel?.giveUp();
      rhythm = afterGivingUp(rhythm, nowMs);
      settle();
    }
    if (isHeardElsewhere(nowMs)) {
      const failures = [{ section: "shell", reason }];
      machines.saw(name, { look: answered, telling: { asked: [], failures } });
      // It is there, and what its shell told has ended all the same.
      void intake.missed(name, isGone({ missed: rhythm.misses }));
      return;
    }
    machines.saw(name, { look: { kind: "silent", reason } });
    void intake.missed(name, machines.isGone(name));
  }

  /** Since its shell is missed an exporter is believed until it is to be asked again: it may be asked more rarely than the shell. */
  function isHeardElsewhere(nowMs: number): boolean {
    const believedMs = elsewhere.atMs > missedMs ? elsewhere.everyMs : 0;
    return nowMs - elsewhere.atMs < Math.max(believedMs, member.intervalMs) + graceMs;
  }

  function heard(tick: RawTick) {
    const now = asked;
    const unasked = tick.sections.some((section) => !now?.names.includes(section.name));
    if (now === undefined || tick.sequence !== rhythm.underWay?.sequence || unasked) {
      throw new Fault("invalid", "it answers what it was not asked");
    }
    asked = undefined;
    why = "";
    const nowMs = clock.tickMs();
    rhythm = afterAnswer(rhythm, sections, nowMs);
    const kept = take(tick, { atMs: now.atMs, tookMs: nowMs - now.tickMs });
    // Who wished to look meanwhile waits for a tick with all there is.
    if (everything) rhythm = askNow(rhythm, nowMs);
    else settle(kept);
    arm();
    aside?.turn();
  }

  /** Whether all of it could be told. */
  async function take(tick: RawTick, when: Asked): Promise<boolean> {
    try {
      const failures = await intake.take(name, tick, clock.nowMs(), when);
      return failures.length === 0;
    } catch (thrown) {
      needs.trace.warn("a tick was not kept", { machine: name, reason: toFault(thrown).message });
      return false;
    }
  }

  /** The shell has no connection, or the program has ended. */
  function failed(reason: string) {
    [why, asked] = [reason, undefined];
    if (rhythm.underWay) rhythm = afterFailure(rhythm, clock.tickMs());
    machines.triedInVain(name, reason);
    settle();
    arm();
  }

  function broken(reason: string) {
    [why, asked] = ["", undefined];
    rhythm = afterStrike(rhythm, clock.tickMs());
    const failures = [{ section: "program", reason: `it says what our program cannot say: ${reason}` }];
    machines.saw(name, { look: answered, telling: { asked: [], failures } });
    // Nothing of what it told before is known to hold, and it is not asked for a while.
    void intake.missed(name, true);
    settle();
    arm();
  }

  /** Who waits for a look goes on, when what it brought is kept. */
  function settle(kept?: Promise<unknown>) {
    outcome.resolve(kept);
    outcome = Promise.withResolvers();
  }

  arm();
  return {
    takes(next) {
      if (!isSamePlace(member, next) || loginOf(member) !== loginOf(next)) return false;
      member = next;
      rhythm = { ...rhythm, intervalMs: next.intervalMs };
      return true;
    },
    async lookNow(signal) {
      if (!channel) return;
      everything = true;
      aside?.hurry();
      rhythm = askNow(rhythm, clock.tickMs());
      const stop = new AbortController();
      const late = sleep(clock, lookMs, stop.signal).catch(() => {});
      arm();
      try {
        await untilAborted(Promise.race([outcome.promise, late]), signal);
      } finally {
        stop.abort();
      }
    },
    watch(on) {
      if (!channel || on === rhythm.watched) return;
      rhythm = afterWatch(rhythm, on, clock.tickMs());
      arm();
    },
    heard() {
      if (channel) return;
      const missMs = clock.tickMs() + member.intervalMs + graceMs;
      rhythm = { ...rhythm, misses: 0, missMs };
      arm();
    },
    heardElsewhere(everyMs) {
      elsewhere = { atMs: clock.tickMs(), everyMs };
    },
    async close() {
      closed = true;
      timer?.cancel();
      settle();
      await Promise.all([channel?.close(), aside?.close(), shell?.close()]);
    },
  };
}

function openAsideOf(
  needs: SessionNeeds,
  name: string,
  shell: Shell,
  part: number,
  take: (tick: RawTick, when: Asked) => Promise<boolean>,
): Aside {
  const { machines, clock, collector } = needs;
  return openAside(
    {
      ...{ shell, collector, clock, makeMark: needs.makeMark },
      heard: (tick) => take(tick, { atMs: clock.nowMs(), tookMs: undefined }),
      failed: (section, reason) => machines.report(name, { asked: [section], failures: [{ section, reason }] }),
    },
    part,
  );
}

const answered = { kind: "answered", tookMs: undefined, detail: "" } as const;

/** By what the hub logs in: when that is another, the connection is made anew. */
function loginOf({ document: { user, key } }: Member): string {
  return JSON.stringify([user, key]);
}

/** Maintenance ends by itself when its time is over. */
export function maintenanceLoop(machines: Pick<Machines, "endMaintenance">) {
  return {
    name: "machine.maintenance",
    intervalMs: 5_000,
    jitter: 0,
    timeoutMs: 10_000,
    async run() {
      machines.endMaintenance();
    },
  };
}
