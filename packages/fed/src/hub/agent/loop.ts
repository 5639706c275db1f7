import { childController, untilAborted } from "#base/abort.ts";
import { makeBroadcast } from "#base/broadcast.ts";
import { type Clock, sleep } from "#base/clock.ts";
import { Fault, isFault, toFault } from "#base/fault.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { RawTick } from "#port/collector.ts";
import type { AgentLine } from "#wire/agent.ts";
import type { CallContext } from "#wire/handler.ts";
import { type Agent, markOf, placeTick, type Skew, skewAfter, skewAtFirst, wordsOfSkew } from "./agent.ts";
import { type Conduct, makeConduct } from "./conduct.ts";
import type { AgentsNeeds } from "./need.ts";
import { noteProgress, selectAgent } from "./store.ts";

/** What a machine says of itself when it begins to report. */
export interface Greeting {
  readonly now: number;
  readonly last: number;
  readonly dropped: number;
  readonly version: string;
  readonly refused: string;
}

export interface Reports {
  /** What is said to a machine while its ticks are taken, until it stops or the signal aborts. A newer upload of it ends the one before. */
  report(
    machine: string,
    greeting: Greeting,
    context: Pick<CallContext, "signal" | "upload" | "correlation">,
  ): AsyncIterable<string>;
  /** Tells a machine to uninstall; whether it has, when that is known soon. */
  dismiss(machine: string, signal: AbortSignal): Promise<boolean>;
  departed(machine: string): void;
  close(): void;
}

interface Session {
  readonly agent: Agent;
  readonly greeting: Greeting;
  readonly conduct: Conduct;
  /** This hub has heard nothing of it before. */
  readonly isNew: boolean;
  readonly stop: AbortController;
  readonly out: ReturnType<typeof makeBroadcast<AgentLine>>;
  sequence: number;
  skew: Skew;
  /** It is to uninstall: what it says otherwise is nobody's any more. */
  leaving: boolean;
  /** When the sequence was written last. */
  writtenMs: number;
}

/** A machine whose ticks do not come is not there; three of them, and some time more. */
const silentMs = (paceMs: number) => 3 * paceMs + 45_000;
const writeMs = 60_000;
const mostLines = 1_000;
/** After a mistake the machine is still heard for so long, that it can be told: it reads only when it sends. */
const hearOutMs = 45_000;
const dismissMs = 15_000;

export function openReports(needs: AgentsNeeds): Reports {
  const { db, clock, machines } = needs;
  const sessions = new Map<string, Session>();
  const conducts = new Map<string, Conduct>();
  const leaving = new Map<string, () => void>();
  const closing = new AbortController();
  const paceOf = ({ agent: { machine } }: Session): AgentLine => {
    const baseMs = machines.fleet.get(machine)?.intervalMs ?? 10_000;
    return `rate ${seconds(needs.paceMs(machine))} ${seconds(baseMs)}`;
  };
  const stopHearing = needs.onPace(() => {
    for (const session of sessions.values()) if (!session.leaving) session.out.send(paceOf(session));
  });

  function begin(agent: Agent, greeting: Greeting, signal: AbortSignal): { session: Session; release(): void } {
    sessions.get(agent.machine)?.stop.abort(new Fault("conflict", "it reports by another connection now"));
    const { controller: stop, release } = childController(signal);
    const nowMs = clock.nowMs();
    const known = conducts.get(agent.machine);
    const conduct = known ?? makeConduct(clock);
    conducts.set(agent.machine, conduct);
    const session: Session = {
      ...{
        agent,
        greeting,
        conduct,
        isNew: known === undefined,
        stop,
        sequence: agent.sequence,
        leaving: agent.leaving,
        writtenMs: clock.tickMs(),
      },
      ...{ out: makeBroadcast<AgentLine>(mostLines), skew: skewAtFirst(nowMs, greeting.now * 1_000) },
    };
    sessions.set(agent.machine, session);
    return { session, release };
  }

  function end(session: Session) {
    const { machine } = session.agent;
    if (sessions.get(machine) === session) sessions.delete(machine);
    if (session.sequence > session.agent.sequence) write(needs, session);
  }

  async function* report(machine: string, greeting: Greeting, context: Parameters<Reports["report"]>[2]) {
    const agent = selectAgent(db, machine);
    if (!agent) throw new Fault("missing", `${machine} does not report to this hub any more`);
    if (!agent.leaving && !machines.fleet.has(machine)) {
      throw new Fault("missing", `the fleet has no machine ${machine}`, {
        hint: `What it tells is kept there. End that with: fed machine remove ${machine}`,
      });
    }
    const { session, release } = begin(agent, greeting, context.signal);
    const { out, stop } = session;
    // Read from before anything is sent.
    const lines = out.read(stop.signal);
    try {
      for (const line of hello(needs, session)) out.send(line);
      out.send(paceOf(session));
      const reading = readAll(needs, session, context.upload ?? none()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      void reading.then(() => out.close());
      yield* lines;
      stop.signal.throwIfAborted();
      const thrown = await reading;
      if (thrown !== undefined) throw thrown;
    } finally {
      stop.abort(new Fault("unreachable", "the report has ended"));
      end(session);
      release();
    }
  }

  return {
    report,
    async dismiss(machine, signal) {
      const session = sessions.get(machine);
      if (!session) return false;
      session.leaving = true;
      session.out.send("uninstall");
      const { promise, resolve } = Promise.withResolvers<void>();
      leaving.set(machine, resolve);
      const { controller, release } = childController(signal);
      try {
        const late = sleep(clock, dismissMs, controller.signal).then(() => false);
        return await untilAborted(Promise.race([promise.then(() => true), late]), signal);
      } finally {
        controller.abort();
        release();
        leaving.delete(machine);
      }
    },
    departed(machine) {
      conducts.delete(machine);
      leaving.get(machine)?.();
      sessions.get(machine)?.stop.abort(new Fault("missing", `${machine} has left`));
    },
    close() {
      stopHearing();
      closing.abort(new Fault("unreachable", "the hub is stopping"));
      for (const { stop } of sessions.values()) stop.abort(closing.signal.reason);
    },
  };
}

function hello(
  { kit, machines, intake, events, clock }: AgentsNeeds,
  { agent, greeting, conduct, isNew, skew, leaving }: Session,
): readonly AgentLine[] {
  const { machine } = agent;
  const lines: AgentLine[] = [`hello ${machine}`, `ack ${agent.sequence}`];
  if (leaving) return [...lines, "uninstall"];
  const ticks = conduct.lost(greeting.dropped);
  if (ticks > 0) events.note(hubOrigin(clock), `machine:${machine}`, { type: "machine.ticksLost", ticks });
  const old = greeting.version !== kit.version;
  if (old && greeting.refused !== kit.version) lines.push(`update ${kit.version}`);
  // What it tells now and then, and what it tells only of what has changed, a hub that has started knows nothing of.
  else if (isNew && agent.sequence > 0) lines.push("anew");
  if (agent.version !== greeting.version) intake.restart(machine);
  const failures = [
    old && greeting.refused === kit.version
      ? `the version ${kit.version} did not come up there: it runs the one before. Join it again: fed machine join ${machine}`
      : undefined,
    wordsOfSkew(skew),
  ].flatMap((reason, at) => (reason === undefined ? [] : [{ section: sectionsOfOurs[at] ?? "agent", reason }]));
  machines.report(machine, { asked: sectionsOfOurs, failures });
  return lines;
}

/** What about a machine's reporting may be wrong. */
const sectionsOfOurs = ["agent", "clock"] as const;

/** Takes ticks as they come, none twice, each acknowledged when it is kept. */
async function readAll(needs: AgentsNeeds, session: Session, upload: AsyncIterable<Uint8Array>): Promise<void> {
  const { clock } = needs;
  const { agent, conduct, stop, out } = session;
  const { signal } = stop;
  const reader = needs.collector.openTicks(markOf(agent));
  const watch = watchSilence(needs, session);
  try {
    for await (const bytes of upload) {
      signal.throwIfAborted();
      watch.heard();
      // What leaves is heard for as long as it speaks, and not listened to.
      if (session.leaving) continue;
      for (const tick of reader.push(bytes)) {
        await conduct.allow(signal);
        if (!session.leaving) await takeOne(needs, session, tick);
      }
    }
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (isFault(thrown) && thrown.code === "invalid") {
      const { machine } = agent;
      if (conduct.unreadable()) {
        needs.trace.warn("a machine says what its program cannot say", { machine, reason: thrown.message });
      }
      out.send(`skip ${session.sequence}`);
      report(needs, machine, "agent", `what it sent could not be read, and is left out: ${thrown.message}`);
      await hearOut(clock, upload, signal);
      return;
    }
    throw thrown;
  } finally {
    watch.cancel();
  }
}

async function takeOne(needs: AgentsNeeds, session: Session, tick: RawTick): Promise<void> {
  const { clock, intake } = needs;
  const { agent, greeting, out } = session;
  const receivedMs = clock.nowMs();
  if (tick.sequence > session.sequence) {
    const before = wordsOfSkew(session.skew);
    if (tick.sequence > greeting.last) session.skew = skewAfter(session.skew, receivedMs, tick.machineMs);
    const after = wordsOfSkew(session.skew);
    if (before !== after) report(needs, agent.machine, "clock", after);
    const placed = placeTick(tick, session.skew, receivedMs);
    if (placed) await intake.take(agent.machine, placed, receivedMs);
    session.sequence = tick.sequence;
  }
  out.send(`ack ${session.sequence}`);
  if (clock.tickMs() - session.writtenMs >= writeMs) write(needs, session);
}

function report({ machines }: AgentsNeeds, machine: string, section: string, reason: string | undefined): void {
  const failures = reason === undefined ? [] : [{ section, reason }];
  machines.report(machine, { asked: [section], failures });
}

/** Of use only to a hub that was killed: what is lost of it is sent twice, and kept once. */
function write({ db, clock, trace }: AgentsNeeds, session: Session): void {
  const { agent, greeting, sequence } = session;
  session.writtenMs = clock.tickMs();
  try {
    db.tx((tx) => noteProgress(tx, { ...agent, sequence, version: greeting.version }));
  } catch (thrown) {
    trace.warn("how far a machine's ticks are kept was not written", { reason: toFault(thrown).message });
  }
}

function watchSilence({ clock, paceMs }: AgentsNeeds, { agent, stop }: Session) {
  const begin = () =>
    clock.after(silentMs(paceMs(agent.machine)), () =>
      stop.abort(new Fault("timeout", `${agent.machine} has said nothing for too long`)),
    );
  let timer = begin();
  return {
    heard() {
      timer.cancel();
      timer = begin();
    },
    cancel: () => timer.cancel(),
  };
}

async function hearOut(clock: Clock, upload: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const { controller, release } = childController(signal);
  const timer = clock.after(hearOutMs, () => controller.abort(new Error("it was heard out")));
  const rest = (async () => {
    for await (const _ of upload) if (controller.signal.aborted) return;
  })();
  await untilAborted(rest, controller.signal).catch(() => undefined);
  timer.cancel();
  release();
}

async function* none(): AsyncGenerator<Uint8Array> {}

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000));
}
