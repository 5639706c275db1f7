import { makeWordPool, type WordPool } from "#base/word-pool.ts";
import { type Labels, labelsKey, labelsOf, labelsToRecord, metricName } from "#engine/series/labels.ts";
import { setStale } from "#engine/series/series.ts";
import type { Batch } from "#engine/tsdb/tsdb.ts";
import type { SampleSink } from "#port/collector.ts";
import { type Given, isSeries, labelsIn } from "./series-labels.ts";

/** The series that one machine tells: the same object at each tick, by which the store knows them at once. */
export interface SeriesBook {
  readonly sample: SampleSink;
  /** A tick begins in which these sections were asked. `nowMs`: when it came. */
  begin(asked: readonly string[], nowMs: number): void;
  /** What it told, `up` and how long it took; and the ends of the series that it should have told and did not. */
  end(atMs: number, up: boolean, tookMs: number | undefined): Batch;
  /** The same of a tick that was asked for aside: it says nothing of the machine as a whole. */
  endAside(atMs: number): Batch;
  /** It did not answer. */
  missed(atMs: number): Batch;
  /** It is not there (any more): all of its series end. */
  gone(atMs: number, forGood: boolean): Batch;
  /** Series that it tells now. */
  readonly count: number;
  /** Samples of this tick that were beyond the limit, or of no good name. */
  readonly dropped: number;
}

/** A fleet tells tens of thousands: each is one small object, and nothing else stands for it. */
interface Entry {
  readonly labels: Labels;
  /** Bits of the sections one of which tells it: where all of these are asked, it is to be told. */
  sections: number;
  /** In which it was told last. */
  tick: number;
  /** Not when it has ended; within the hour it is no new one when it is told again. */
  open: boolean;
  /** What was told after it the last time. */
  next: Entry | undefined;
}

/**
 * New series within an hour are at most so many times those that it may have: who has other ones at every tick would else fill the
 * memory of the store, which holds them for hours.
 */
const newPerHour = 2;
const hourMs = 3_600_000;

/** How many may be left out at a time before all are searched. */
const mostSkipped = 4;

export function openBook(
  machine: string,
  sectionNames: readonly string[],
  mostSeries: number,
  word: WordPool = makeWordPool(),
): SeriesBook {
  const bits = new Map(sectionNames.map((name, at) => [name, 1 << Math.min(at, 30)]));
  const bitOf = (name: string) => bits.get(name) ?? 0;
  const own = labelsOf({ machine, job: "fed", instance: machine });
  const named = (name: string) => labelsOf({ ...labelsToRecord(own), [metricName]: name }).map(word);
  const [upLabels, tookLabels, countLabels] = [
    named("up"),
    named("scrape_duration_seconds"),
    named("scrape_samples_scraped"),
  ];
  /** Open ones and those that have ended within the hour. */
  let entries: Entry[] = [];
  let open = 0;
  /** What each section told first the last time. */
  const firsts = new Map<string | undefined, Entry>();
  /** Who told last in this tick, and what. */
  let [teller, last]: [string | undefined, Entry | undefined] = [undefined, undefined];
  /** All by their labels, made when something comes in another order and dropped with the tick. */
  let index: Map<string, Entry> | undefined;
  let told: Labels[] = [];
  let values: number[] = [];
  let [tick, sections, dropped] = [0, 0, 0];
  /** Samples of this tick that were searched for in vain because there is no room, by section; and sections that are searched no more. */
  const refused = new Map<string | undefined, number>();
  let blind = 0;
  let [made, madeSinceMs] = [0, -Infinity];

  /** A section tells the same series in the same order nearly always: then it is the one after the one before. */
  function follow(from: Entry | undefined, metric: string, labels: Given): Entry | undefined {
    let entry = from;
    for (let skipped = 0; entry !== undefined && skipped <= mostSkipped; skipped++) {
      if (isSeries(entry.labels, metric, labels)) return entry;
      entry = entry.next;
    }
    return undefined;
  }

  function search(metric: string, labels: Given, section: string | undefined): Entry | undefined {
    const inVain = refused.get(section) ?? 0;
    // Who tells millions is to cost little: what comes in its order is found all the same.
    if (isFull() && inVain >= mostSeries) {
      blind |= section === undefined ? -1 : bitOf(section);
      return undefined;
    }
    const full = labelsIn(own, metric, labels);
    if (full === undefined) return undefined;
    index ??= new Map(entries.map((entry) => [labelsKey(entry.labels), entry]));
    const key = labelsKey(full);
    const known = index.get(key);
    if (known) return known;
    if (isFull()) {
      refused.set(section, inVain + 1);
      return undefined;
    }
    made++;
    open++;
    const entry: Entry = { labels: full.map(word), sections, tick: 0, open: true, next: undefined };
    entries.push(entry);
    index.set(key, entry);
    return entry;
  }

  const isFull = () => open >= mostSeries || made >= newPerHour * mostSeries;

  function find(metric: string, labels: Given, section: string | undefined): Entry | undefined {
    const before = section === teller ? last : undefined;
    const expected = before ? before.next : firsts.get(section);
    const followed = follow(expected, metric, labels);
    const entry = followed ?? search(metric, labels, section);
    if (entry === undefined) return undefined;
    if (!entry.open) {
      if (open >= mostSeries) return undefined;
      entry.open = true;
      entry.sections = sections;
      open++;
    }
    if (entry.tick === tick) return entry;
    [teller, last] = [section, entry];
    // What was left out may be back in the next tick.
    if (entry === expected || (followed && expected?.open)) return entry;
    entry.next ??= expected;
    if (before) before.next = entry;
    else firsts.set(section, entry);
    return entry;
  }

  /** Ends the series that were to be told in this tick and were not. */
  function takeVanished(): readonly Labels[] {
    const vanished: Labels[] = [];
    for (const entry of entries) {
      if (!entry.open || entry.tick === tick || (sections & entry.sections) !== entry.sections) continue;
      // It may have been told among what was searched for no more.
      if ((entry.sections & blind) !== 0) continue;
      vanished.push(entry.labels);
      entry.open = false;
      open--;
    }
    return vanished;
  }

  function finish(atMs: number): Batch {
    const batch = batchOf(told, values, takeVanished(), atMs);
    [told, values, teller, last, index] = [[], [], undefined, undefined, undefined];
    return batch;
  }

  function forgetEnded(): void {
    entries = entries.filter((entry) => entry.open);
    // What is kept leads to no other: else the one before would keep the one before it, for ever.
    for (const entry of entries) if (!entry.next?.open) entry.next = undefined;
    for (const [section, entry] of firsts) if (!entry.open) firsts.delete(section);
  }

  return {
    sample(metric, value, labels, section) {
      if (!Number.isFinite(value)) return;
      const entry = find(metric, labels, section);
      if (entry === undefined) dropped++;
      else if (entry.tick !== tick) {
        entry.tick = tick;
        // What no section is named for is told by one of those that were asked whenever it was told.
        entry.sections = section === undefined ? entry.sections & sections : bitOf(section);
        told.push(entry.labels);
        values.push(value);
      }
    },
    begin(asked, nowMs) {
      if (Math.abs(nowMs - madeSinceMs) >= hourMs) {
        [made, madeSinceMs] = [0, nowMs];
        forgetEnded();
      }
      [dropped, blind] = [0, 0];
      refused.clear();
      tick++;
      sections = asked.reduce((sum, name) => sum | bitOf(name), 0);
    },
    end(atMs, up, tookMs) {
      const count = told.length;
      if (up) {
        told.push(upLabels);
        values.push(1);
      }
      if (tookMs !== undefined) {
        told.push(tookLabels, countLabels);
        values.push(tookMs / 1_000, count);
      }
      return finish(atMs);
    },
    endAside: finish,
    missed: (atMs) => batchOf([upLabels], [0], [], atMs),
    gone(atMs, forGood) {
      const ends: Labels[] = [tookLabels, countLabels];
      for (const entry of entries) {
        if (!entry.open) continue;
        ends.push(entry.labels);
        entry.open = false;
      }
      open = 0;
      return forGood ? batchOf([], [], [...ends, upLabels], atMs) : batchOf([upLabels], [0], ends, atMs);
    },
    get count() {
      return open;
    },
    get dropped() {
      return dropped;
    },
  };
}

function batchOf(told: readonly Labels[], values: readonly number[], ends: readonly Labels[], atMs: number): Batch {
  const labels = ends.length === 0 ? told : [...told, ...ends];
  const cells = new Float64Array(labels.length);
  cells.set(values);
  for (let i = told.length; i < labels.length; i++) setStale(cells, i);
  return { labels, times: new Float64Array(labels.length).fill(atMs), values: cells };
}
