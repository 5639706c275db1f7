import { toFault } from "#base/fault.ts";
import type {
  RawSection,
  RawTick,
  Reading,
  SampleSink,
  SectionFailure,
  ToldContainer,
  ToldFacts,
  ToldProcess,
  ToldStorage,
  ToldUnit,
  ToldUpdate,
} from "#port/collector.ts";
import { openHold } from "./hold.ts";
import type { LinuxSection, SectionSink } from "./section.ts";

/** What a section told besides samples, the last time it was asked. */
interface Told {
  facts?: Partial<ToldFacts>;
  units?: readonly ToldUnit[];
  containers?: readonly ToldContainer[];
  processes?: readonly ToldProcess[];
  updates?: { readonly list: readonly ToldUpdate[]; readonly restart: boolean };
  storage?: readonly ToldStorage[];
}

type Part = keyof Told;

/** Reads ticks of one machine. A section that fails tells nothing and forgets what it told; the others go on. */
export function openReading(sections: readonly LinuxSection[]): (tick: RawTick, sink: SampleSink) => Reading {
  const readers = new Map(sections.map((section) => [section.name, openSection(section)]));
  return (tick, sink) => {
    const failures: SectionFailure[] = [];
    const fresh = new Set<Part>();
    const asked = new Set<string>();
    const sinkOf =
      (section: string): SampleSink =>
      (metric, value, labels) => {
        if (Number.isFinite(value)) sink(metric, value, labels, section);
      };
    for (const raw of tick.sections) {
      const reader = readers.get(raw.name);
      // Twice in a tick is once too often: its samples would collide.
      if (reader === undefined || asked.has(raw.name)) continue;
      asked.add(raw.name);
      const reasons = reader.read(raw, tick.machineMs, sinkOf(raw.name), fresh);
      failures.push(...reasons.map((reason) => ({ section: raw.name, reason: oneLine(reason) })));
    }
    for (const [name, reader] of readers) if (!asked.has(name)) reader.hold?.repeat(tick.machineMs, sinkOf(name));
    const told = [...readers.values()].map((reader) => reader.told());
    return { ...joinTold(told, fresh), failures };
  };
}

function openSection(section: LinuxSection) {
  const read = section.open();
  const everyMs = section.everyMs;
  const hold = openHold(everyMs);
  let told: Told = {};
  return {
    hold,
    told: () => told,
    /** Reasons why something of it could not be told. */
    read(raw: RawSection, machineMs: number, sink: SampleSink, fresh: Set<Part>): readonly string[] {
      const reasons: string[] = [];
      const next: Told = {};
      const into = sinkInto(next, hold?.begin(machineMs, sink) ?? sink, reasons);
      try {
        read(raw.text, into, { machineMs, code: raw.code, cut: raw.cut });
      } catch (thrown) {
        hold?.forget();
        const { code, message } = toFault(thrown);
        reasons.push(code === "internal" ? `fed failed to read it: ${message}` : message);
      }
      for (const part of [...partsOf(told), ...partsOf(next)]) fresh.add(part);
      told = next;
      return reasons;
    },
  };
}

function sinkInto(told: Told, sample: SampleSink, reasons: string[]): SectionSink {
  return {
    sample,
    facts(part) {
      told.facts = { ...told.facts, ...part };
    },
    units(list) {
      told.units = list;
    },
    containers(list) {
      told.containers = list;
    },
    processes(list) {
      told.processes = list;
    },
    updates(part) {
      told.updates = part;
    },
    storage(list) {
      told.storage = list;
    },
    problem(reason) {
      if (reasons.length < 10) reasons.push(reason);
    },
  };
}

function partsOf(told: Told): readonly Part[] {
  return Object.keys(told) as Part[];
}

/** The parts of which something was told now, of all sections: those that were not asked now tell what they told last. */
function joinTold(all: readonly Told[], fresh: ReadonlySet<Part>): Omit<Reading, "failures"> {
  const facts = fresh.has("facts") ? wholeFacts(Object.assign({}, ...all.map((told) => told.facts))) : undefined;
  const updates = all.flatMap((told) => told.updates ?? []);
  return {
    ...(facts && { facts }),
    ...(fresh.has("units") && { units: all.flatMap((told) => told.units ?? []) }),
    ...(fresh.has("containers") && { containers: all.flatMap((told) => told.containers ?? []) }),
    ...(fresh.has("processes") && { processes: all.flatMap((told) => told.processes ?? []) }),
    ...(fresh.has("storage") && { storage: all.flatMap((told) => told.storage ?? []) }),
    ...(fresh.has("updates") && {
      updates: { list: updates.flatMap((part) => part.list), restart: updates.some((part) => part.restart) },
    }),
  };
}

/** Undefined until everything is known that is not optional. */
function wholeFacts(part: Partial<ToldFacts>): ToldFacts | undefined {
  const { hostname, os, kernel, architecture, cores, memoryBytes, bootedMs } = part;
  if (hostname === undefined || os === undefined || kernel === undefined || architecture === undefined)
    return undefined;
  if (cores === undefined || memoryBytes === undefined || bootedMs === undefined) return undefined;
  return { ...part, hostname, os, kernel, architecture, cores, memoryBytes, bootedMs };
}

function oneLine(reason: string): string {
  return [...reason.slice(0, 400)]
    .map((letter) => (letter < " " || letter === "\u007f" ? " " : letter))
    .join("")
    .slice(0, 300);
}
