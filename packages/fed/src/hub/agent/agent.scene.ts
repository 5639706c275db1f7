import type { MachineDocument } from "@fed/lab";
import { onTestFinished } from "vitest";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeNotice } from "#base/notice.ts";
import { silentTrace, type Trace } from "#base/trace.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { openEventLog } from "#hub/event/verbs.ts";
import type { Telling } from "#hub/machine/problem.ts";
import type { AgentKit } from "#port/agent.ts";
import type { Collector, RawTick, TickReader } from "#port/collector.ts";
import type { FedEvent } from "#wire/event.ts";
import type { AgentsNeeds } from "./need.ts";
import { openAgents } from "./verbs.ts";

export const origin = { actor: "user:ada", correlation: "cor_1" };
export const comer = { address: "192.0.2.7", correlation: "cor_2" };
export const going = () => new AbortController().signal;

export const kit: AgentKit = {
  version: "aa11",
  join: ({ machine, url, token }) => `join ${machine} ${url} ${token}`,
  refuse: (reason, hint) => `refuse ${reason} ${hint}`,
  script: (mark) => `script ${mark}`,
};

/** Ticks are lines `MARK SEQUENCE MILLISECONDS TEXT`. */
function openLineTicks(mark: string): TickReader {
  let rest = "";
  return {
    push(bytes) {
      const lines = (rest + Buffer.from(bytes).toString()).split("\n");
      rest = lines.pop() ?? "";
      return lines.map((line): RawTick => {
        const [shown, sequence, ms, text = ""] = line.split(" ");
        if (shown !== mark) throw new Fault("invalid", "a wrong mark");
        const section = { name: "cpu", text, code: 0, cut: false };
        return { sequence: Number(sequence), machineMs: Number(ms), sections: [section] };
      });
    },
  };
}

export interface SceneOptions {
  readonly clock?: Clock;
  readonly kit?: AgentKit;
  readonly trace?: Trace;
  readonly collector?: Pick<Collector, "openTicks">;
  /** Of the test's own context where tests run side by side: the common one does not know then whose end it is. */
  readonly atEnd?: typeof onTestFinished;
}

/** Agents in a control database of their own, with a fleet that takes whom it is told, gone after the test. */
export function makeScene(options: SceneOptions = {}) {
  const control = openTestControl();
  const hand = handClock();
  const clock = options.clock ?? hand;
  const events = openEventLog({ db: control.db, clock, trace: silentTrace });
  const told: FedEvent[] = [];
  events.listen((event) => void told.push(event));
  const fleet = new Map<string, { document: MachineDocument; mode: "push"; origin: "added"; intervalMs: number }>();
  const taken: { machine: string; sequence: number; machineMs: number; text: string }[] = [];
  const tellings: (Telling & { machine: string })[] = [];
  const pace = { ms: 10_000, moved: makeNotice() };
  /** Called before a tick is kept; what it throws, keeping throws. */
  const keeping: { work: (sequence: number) => Promise<void> } = { work: async () => undefined };
  const needs: AgentsNeeds = {
    ...{ db: control.db, events, clock, trace: options.trace ?? silentTrace, kit: options.kit ?? kit },
    collector: options.collector ?? { openTicks: openLineTicks },
    machines: {
      fleet,
      prepareJoin(name, { kind, address }) {
        const document: MachineDocument = { kind, address };
        return {
          record: (_tx, emit) => emit(`machine:${name}`, { type: "machine.enrolled", mode: "push", address }),
          take: () => void fleet.set(name, { document, mode: "push", origin: "added", intervalMs: 10_000 }),
        };
      },
      prepareRemoval(name) {
        if (!fleet.has(name)) throw new Fault("missing", `the fleet has no machine ${name}`);
        return {
          record: (_tx, emit) => emit(`machine:${name}`, { type: "machine.removed" }),
          take: () => void fleet.delete(name),
        };
      },
      report: (machine, telling) => void tellings.push({ machine, ...telling }),
    },
    intake: {
      async take(machine, { sequence, machineMs, sections }) {
        await keeping.work(sequence);
        taken.push({ machine, sequence, machineMs, text: sections[0]?.text ?? "" });
        return [];
      },
      restart: () => undefined,
    },
    paceMs: () => pace.ms,
    onPace: (listener) => pace.moved.listen(listener),
  };
  const reopen = () => openAgents(needs);
  const agents = reopen();
  (options.atEnd ?? onTestFinished)(() => {
    agents.close();
    events.close();
    control[Symbol.dispose]();
  });
  return { ...{ agents, reopen, clock: hand, db: control.db, fleet, taken, tellings, told, pace, keeping } };
}

export type Scene = ReturnType<typeof makeScene>;

/** Takes a machine in, and what it shows from now on. */
export function joinAs(agents: Scene["agents"], name: string): string {
  return agents.claim(agents.allow(name, "server", origin).token, comer).credential;
}
