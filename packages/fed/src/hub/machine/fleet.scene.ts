import { onTestFinished } from "vitest";
import { Fault } from "#base/fault.ts";
import { silentTrace } from "#base/trace.ts";
import { labelsToRecord } from "#engine/series/labels.ts";
import { isStale } from "#engine/series/series.ts";
import type { Batch } from "#engine/tsdb/tsdb.ts";
import type { Collector, RawTick, SectionFailure, ToldUnit } from "#port/collector.ts";
import { type FakeShell, makeFakeShell } from "#port/shell.fake.ts";
import { openLiveFleet } from "./fleet.ts";
import { facts, makeScene } from "./machine.scene.ts";
import type { Member } from "./member.ts";

/** What a section of the stub says: samples by name, and what else. */
interface StubText {
  readonly samples?: Readonly<Record<string, number>>;
  readonly units?: readonly ToldUnit[];
  readonly fails?: string;
}

const said = (text: StubText) => JSON.stringify(text);

/** A collector of five sections; what they say is JSON, a tick is a line after the mark. */
export const stubCollector: Collector = {
  name: "stub",
  version: "1",
  sections: [
    { name: "cpu", everyMs: 0 },
    { name: "facts", everyMs: 30_000 },
    { name: "units", everyMs: 30_000 },
    { name: "updates", everyMs: 3_600_000 },
    { name: "disks", everyMs: 600_000, slow: true },
  ],
  program: (mark) => `program ${mark}\n`,
  ask: (sequence, sections) => `tick ${sequence} ${sections.join(" ")}\n`,
  openTicks(mark) {
    let rest = "";
    return {
      push(bytes) {
        const lines = (rest + new TextDecoder().decode(bytes)).split("\n");
        rest = lines.pop() ?? "";
        return lines.map((line) => {
          if (!line.startsWith(`${mark} `)) throw new Fault("invalid", "a wrong mark");
          return JSON.parse(line.slice(mark.length + 1)) as RawTick;
        });
      },
    };
  },
  openReading: () => (tick, sink) => {
    const failures: SectionFailure[] = [];
    let units: readonly ToldUnit[] | undefined;
    for (const { name, text } of tick.sections) {
      const told = JSON.parse(text) as StubText;
      for (const [metric, value] of Object.entries(told.samples ?? {})) sink(metric, value, { of: name }, name);
      if (told.fails !== undefined) failures.push({ section: name, reason: told.fails });
      if (told.units) units = told.units;
    }
    const asksFacts = tick.sections.some(({ name }) => name === "facts");
    return { ...(asksFacts ? { facts } : {}), ...(units ? { units } : {}), failures };
  },
};

/** A machine that answers as `say` says; `undefined` is no answer. */
export interface StubMachine {
  readonly shell: FakeShell;
  /** What was asked: the sections of each tick. */
  readonly asked: string[][];
  say: (sections: readonly string[]) => Readonly<Record<string, StubText>> | undefined | string;
}

export function tickOf(sequence: number, machineMs: number, sections: Readonly<Record<string, StubText>>): RawTick {
  const all = Object.entries(sections).map(([name, text]) => ({ name, text: said(text), code: 0, cut: false }));
  return { sequence, machineMs, sections: all };
}

/** A live fleet whose machines are stubs, by name. */
export function makeFleetScene() {
  const scene = makeScene();
  const { clock, machines } = scene;
  const stubs = new Map<string, StubMachine>();
  const opened: string[] = [];
  const kept: { readonly machine: string; readonly age: string; readonly batch: Batch }[] = [];
  const disk = { full: false };

  function makeStub(name: string): StubMachine {
    const shell = makeFakeShell(clock, `ssh ${name}`);
    const stub: StubMachine = {
      ...{ shell, asked: [] },
      say: (sections) => Object.fromEntries(sections.map((one) => [one, { samples: { [`${one}_value`]: 1 } }])),
    };
    shell.program("sh", async ({ stdin, write }) => {
      let [mark, rest] = ["", ""];
      for await (const bytes of stdin) {
        const lines = (rest + new TextDecoder().decode(bytes)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const [word, sequence, ...sections] = line.split(" ");
          if (word === "program") mark = sequence ?? "";
          else {
            stub.asked.push(sections);
            const answer = stub.say(sections);
            if (typeof answer === "string") write(answer);
            else if (answer) write(`${mark} ${JSON.stringify(tickOf(Number(sequence), clock.nowMs(), answer))}\n`);
          }
        }
      }
      return 0;
    });
    return stub;
  }

  const stubOf = (name: string): StubMachine => {
    const stub = stubs.get(name) ?? makeStub(name);
    stubs.set(name, stub);
    return stub;
  };

  let marks = 0;
  const live = openLiveFleet({
    ...{ machines, clock, collector: stubCollector, trace: silentTrace },
    async keep(batch, machine, age) {
      if (disk.full) throw new Fault("unreachable", "the disk is full");
      kept.push({ machine, age, batch });
      return { added: batch.times.length, same: 0, refused: 0, refusals: [] };
    },
    openShell(name: string, _member: Member) {
      const { shell } = stubOf(name);
      // One that was closed is a new one.
      if (opened.includes(name)) shell.fail(undefined);
      opened.push(name);
      return shell;
    },
    makeMark: () => `mark${marks++}`,
  });
  live.begin();
  onTestFinished(() => live.close());

  return {
    ...{ ...scene, live, stubOf, opened, kept, disk },
    /** Turns the clock, a second at a time, and lets streams flow between. */
    async pass(forMs: number) {
      for (let left = forMs; left > 0; left -= 1_000) {
        await clock.turn(Math.min(left, 1_000));
        await flow();
      }
    },
    /** What was kept since the last call: series of a machine and their values, "end" for their end. */
    samples(machine: string) {
      return kept.splice(0).flatMap((one) => (one.machine === machine ? [samplesOf(one.batch)] : []));
    },
  };
}

export function samplesOf({ labels, values }: Batch): Record<string, number | "end"> {
  return Object.fromEntries(
    labels.map((one, at) => {
      const { __name__: name } = labelsToRecord(one);
      return [name, isStale(values, at) ? "end" : (values[at] as number)];
    }),
  );
}

/** Lets what is on its way through streams arrive. */
export async function flow(): Promise<void> {
  for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve));
}
