import type { Clock } from "#base/clock.ts";
import { isFault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { makeWordPool } from "#base/word-pool.ts";
import type { Appended, Batch } from "#engine/tsdb/tsdb.ts";
import type { Collector, RawTick, Reading, SampleSink, SectionFailure } from "#port/collector.ts";
import type { WireMachineTick } from "#wire/machine.ts";
import type { Seen } from "./machine.ts";
import { openBook, type SeriesBook } from "./series.ts";

export interface IntakeNeeds {
  readonly collector: Collector;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Keeps samples; of `old` ones the machine tells later than it took them. Resolves when they are on the disk. */
  keep(batch: Batch, machine: string, age: "new" | "old"): Promise<Appended>;
  /** What was seen of a machine. */
  saw(machine: string, seen: Seen): void;
  /** Its samples can be asked for. */
  ticked(tick: WireMachineTick): void;
}

/** When a tick was asked for, and how long its answer took; of one that came by itself there is none. */
export interface Asked {
  readonly atMs: number;
  /** Undefined of one that was asked for aside: it says nothing about the machine's pace. */
  readonly tookMs: number | undefined;
}

/** Where all ticks go, however they come: what a machine says becomes samples, and what people see. */
export interface Intake {
  /**
   * Takes a tick. Resolves when its samples are on the disk; rejects with a Fault when they could not be kept, and then the same
   * tick may be handed in again. Ticks of a machine come in their order, the next one may come before this one is kept. Samples of
   * one that was asked for have the hub's time, of one that came by itself the machine's own. Answers what could not be told.
   */
  take(machine: string, tick: RawTick, receivedMs: number, asked?: Asked): Promise<readonly SectionFailure[]>;
  /** A machine did not answer; when it is gone by that its series end. */
  missed(machine: string, gone: boolean): Promise<void>;
  /** A machine is not in the fleet any more: its series end, and what was known of them is forgotten. */
  forget(machine: string): Promise<void>;
  /** What its last ticks told begins anew: it may be another machine now. */
  restart(machine: string): void;
}

/** Series of one machine. */
const mostSeries = 5_000;
/** Older samples take the way of those that were kept elsewhere. */
const oldMs = 30 * 60_000;
/** A machine of which this was told so long ago is not there: it had kept it. */
const liveMs = 60_000;

/** What else is said to be wrong with a machine, and is not when a tick of it is good. */
const ownCollectors = ["program", "series", "shell"];

interface Mind {
  readonly book: SeriesBook;
  readonly read: (tick: RawTick, sink: SampleSink) => Reading;
  /** Sections that have not been told yet. */
  readonly untold: Set<string>;
  /** Why most of its last tick was not taken; "" when it was. */
  refused: string;
}

export function openIntake(needs: IntakeNeeds): Intake {
  const { collector, clock, trace } = needs;
  const minds = new Map<string, Mind>();
  const word = makeWordPool();
  const sections = collector.sections.map(({ name }) => name);

  const mindOf = (machine: string): Mind => {
    let mind = minds.get(machine);
    if (!mind) {
      const book = openBook(machine, sections, mostSeries, word);
      mind = { book, read: collector.openReading(), untold: new Set(sections), refused: "" };
      minds.set(machine, mind);
    }
    return mind;
  };

  function readTick(machine: string, { book, read }: Mind, tick: RawTick): Reading {
    try {
      return read(tick, book.sample);
    } catch (thrown) {
      // A reader tells what it cannot read; one that throws has a mistake, which is not to end anything else.
      if (!isFault(thrown)) trace.error("a tick could not be read", { machine, reason: String(thrown) });
      return { failures: [{ section: "program", reason: `its answer could not be read: ${toFault(thrown).message}` }] };
    }
  }

  /** Nobody waits for these: what was not kept is missed in the charts, and told in the diary. */
  async function keepQuietly(batch: Batch, machine: string): Promise<void> {
    try {
      await needs.keep(batch, machine, "new");
    } catch (thrown) {
      trace.warn("samples were not kept", { machine, reason: toFault(thrown).message });
    }
  }

  return {
    async take(machine, tick, receivedMs, asked) {
      const mind = mindOf(machine);
      const { book, untold } = mind;
      const atMs = Math.round(asked?.atMs ?? Math.min(tick.machineMs, receivedMs));
      const names = tick.sections.map(({ name }) => name);
      book.begin(names, receivedMs);
      const reading = readTick(machine, mind, tick);
      for (const name of names) untold.delete(name);
      const failures = [...reading.failures];
      if (book.dropped > 0) failures.push({ section: "series", reason: tooMany(book.dropped) });
      else if (mind.refused !== "") failures.push({ section: "series", reason: mind.refused });
      const aside = asked !== undefined && asked.tookMs === undefined;
      const live = receivedMs - atMs < liveMs;
      const batch = aside ? book.endAside(atMs) : book.end(atMs, live, asked?.tookMs);
      needs.saw(machine, {
        look: { kind: "answered", tookMs: asked?.tookMs, detail: "" },
        reading,
        telling: { asked: aside ? names : [...names, ...ownCollectors], failures },
        complete: untold.size === 0,
      });
      const kept = await needs.keep(batch, machine, receivedMs - atMs > oldMs ? "old" : "new");
      mind.refused = refusedOf(kept, batch);
      needs.ticked({ machine, atMs });
      return failures;
    },
    missed(machine, gone) {
      const { book } = mindOf(machine);
      const ends = gone && book.count > 0;
      return keepQuietly(ends ? book.gone(clock.nowMs(), false) : book.missed(clock.nowMs()), machine);
    },
    async forget(machine) {
      const mind = minds.get(machine);
      minds.delete(machine);
      if (mind) await keepQuietly(mind.book.gone(clock.nowMs(), true), machine);
    },
    restart(machine) {
      const mind = minds.get(machine);
      if (mind) minds.set(machine, { ...mind, read: collector.openReading(), untold: new Set(sections) });
    },
  };
}

/** A sample that is refused once may be a chance; a tick that is refused is missed in every chart, and nothing else would say so. */
function refusedOf({ refused, refusals: [first] }: Appended, { labels }: Batch): string {
  if (first === undefined || refused * 2 <= labels.length) return "";
  return `${refused} samples of its last tick were not taken: ${first.message}`;
}

function tooMany(dropped: number): string {
  return `it tells more than ${mostSeries} series: ${dropped} samples of its last tick were not kept`;
}
