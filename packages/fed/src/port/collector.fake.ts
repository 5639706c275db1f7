/** A collector in memory: its program is for no `sh`, what a section says is JSON. */
import { createHash } from "node:crypto";
import { Fault, toFault } from "#base/fault.ts";
import type { Collector, RawTick, Reading, SampleSink, Section, SectionFailure, TickReader } from "./collector.ts";

/** What a section of it says: samples and whatever else is told, or why it fails. */
export interface FakeSaid extends Omit<Reading, "failures"> {
  readonly samples?: readonly (readonly [metric: string, value: number, labels?: Readonly<Record<string, string>>])[];
  readonly fails?: string;
}

/** A machine that runs the fake's program: what it says when it is asked, as bytes. */
export type FakeMachine = (input: string, say: (section: string) => FakeSaid) => string;

const tickBytes = 2 * 1024 * 1024;

export function makeFakeCollector(sections: readonly Section[]): Collector {
  return {
    name: "fake",
    sections,
    version: createHash("sha256").update(JSON.stringify(sections)).digest("hex"),
    program(mark) {
      if (!/^[A-Za-z0-9]{16,64}$/.test(mark)) throw new Fault("invalid", "this is no mark");
      return `fake ${mark}\n`;
    },
    ask(sequence, names) {
      const unknown = names.find((name) => !sections.some((section) => section.name === name));
      if (unknown !== undefined) throw new Fault("invalid", `the collector has no section "${unknown}"`);
      return `${["tick", sequence, ...names].join(" ")}\n`;
    },
    openTicks: openFakeTicks,
    openReading: () => (tick, sink) => readFakeTick(tick, sections, sink),
  };
}

/** Answers what a hub writes to the program: its text, then lines that ask. */
export const runFakeProgram: FakeMachine = (input, say) => {
  const [program = "", ...asks] = input.trim().split("\n");
  const mark = program.split(" ")[1] ?? "";
  return asks.map((ask) => sayFakeTick(mark, ask, say)).join("");
};

function sayFakeTick(mark: string, ask: string, say: (section: string) => FakeSaid): string {
  const [, sequence, ...names] = ask.split(" ");
  const told = names.map((name) => ({ name, text: JSON.stringify(say(name)), code: 0, cut: false }));
  const tick: RawTick = { sequence: Number(sequence), machineMs: 1_800_000_000_000, sections: told };
  return `${mark} ${JSON.stringify(tick)}\n`;
}

function openFakeTicks(mark: string): TickReader {
  let text = "";
  let last = -1;
  let broken = false;
  const decoder = new TextDecoder();
  const nonsense = (what: string) => {
    broken = true;
    text = "";
    return new Fault("invalid", `the machine says what the program cannot say: ${what}`);
  };
  return {
    push(bytes) {
      if (broken) throw nonsense("something went wrong before");
      text += decoder.decode(bytes, { stream: true });
      if (text.length > tickBytes) throw nonsense("a tick of more than 2 MiB");
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      const own = lines.filter((line) => line.startsWith(`${mark} `));
      return own.map((line) => {
        const tick = parseTick(line.slice(mark.length + 1));
        if (tick === undefined || tick.sequence <= last) throw nonsense("wrong marks");
        last = tick.sequence;
        return tick;
      });
    },
  };
}

function parseTick(line: string): RawTick | undefined {
  try {
    const tick: RawTick = JSON.parse(line);
    return Number.isInteger(tick.sequence) && Array.isArray(tick.sections) ? tick : undefined;
  } catch {
    return undefined;
  }
}

function readFakeTick(tick: RawTick, sections: readonly Section[], sink: SampleSink): Reading {
  const failures: SectionFailure[] = [];
  let told: Omit<Reading, "failures"> = {};
  for (const { name, text } of tick.sections) {
    if (!sections.some((section) => section.name === name)) continue;
    try {
      const { samples = [], fails, ...rest }: FakeSaid = JSON.parse(text);
      if (fails !== undefined) throw new Fault("invalid", fails);
      for (const [metric, value, labels] of samples) if (Number.isFinite(value)) sink(metric, value, labels);
      told = { ...told, ...rest };
    } catch (thrown) {
      failures.push({ section: name, reason: toFault(thrown).message });
    }
  }
  return { ...told, failures };
}
