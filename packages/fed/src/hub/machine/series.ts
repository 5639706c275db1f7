import { type Labels, labelsKey, labelsOf, metricName } from "#engine/series/labels.ts";
import { setStale } from "#engine/series/series.ts";
import type { Batch } from "#engine/tsdb/tsdb.ts";
import type { SampleSink } from "#port/collector.ts";

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

interface Entry {
  readonly labels: Labels;
  /** Bits of the sections one of which tells it: where all of these are asked, it is to be told. */
  sections: number;
  tick: number;
}

/** What a machine says in a label's value is no longer than this; the store takes none of 4,096 letters. */
const longestValue = 1_024;
const separator = "\u0000";
/**
 * New series within an hour are at most so many times those that it may have: who has other ones at every tick would else fill the
 * memory of the store, which holds them for hours.
 */
const newPerHour = 2;
const hourMs = 3_600_000;

export function openBook(machine: string, sectionNames: readonly string[], mostSeries: number): SeriesBook {
  const bits = new Map(sectionNames.map((name, at) => [name, 2 ** Math.min(at, 30)]));
  const bitOf = (name: string) => bits.get(name) ?? 0;
  const own = { machine, job: "fed", instance: machine };
  const named = (name: string) => labelsOf({ ...own, [metricName]: name });
  const [upLabels, tookLabels, countLabels] = [
    named("up"),
    named("scrape_duration_seconds"),
    named("scrape_samples_scraped"),
  ];
  const entries = new Map<string, Entry>();
  /** The same entries by what the collector says, in its own order of labels. */
  const said = new Map<string, Entry>();
  /** Those that have ended within the hour: one that is told again is no new one. */
  const ended = new Map<string, Entry>();
  let told: Labels[] = [];
  let values: number[] = [];
  let [tick, sections, dropped] = [0, 0, 0];
  let [made, madeSinceMs] = [0, -Infinity];

  function find(metric: string, labels: Readonly<Record<string, string>> | undefined): Entry | undefined {
    let key = metric;
    if (labels) for (const name in labels) key += separator + name + separator + labels[name];
    const known = said.get(key);
    if (known) return known;
    // Before anything is made of it: who tells millions is to cost little.
    if (entries.size >= mostSeries || made >= newPerHour * mostSeries) return undefined;
    const full = labelsIn(own, metric, labels);
    if (full === undefined) return undefined;
    const exact = labelsKey(full);
    let entry = entries.get(exact);
    if (!entry) {
      const again = ended.get(exact);
      if (!again) made++;
      ended.delete(exact);
      entry = { labels: again?.labels ?? full, sections, tick: 0 };
      entries.set(exact, entry);
    }
    if (said.size < 2 * mostSeries) said.set(key, entry);
    return entry;
  }

  /** Ends the series that were to be told in this tick and were not. */
  function takeVanished(): readonly Labels[] {
    const vanished: Labels[] = [];
    for (const [key, entry] of entries) {
      if (entry.tick === tick || (sections & entry.sections) !== entry.sections) continue;
      vanished.push(entry.labels);
      entries.delete(key);
      ended.set(key, entry);
    }
    if (vanished.length > 0) {
      for (const [key, entry] of said) if (!entries.has(labelsKey(entry.labels))) said.delete(key);
    }
    return vanished;
  }

  return {
    sample(metric, value, labels, section) {
      if (!Number.isFinite(value)) return;
      const entry = find(metric, labels);
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
        ended.clear();
      }
      [told, values, dropped] = [[], [], 0];
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
      return batchOf(told, values, takeVanished(), atMs);
    },
    endAside: (atMs) => batchOf(told, values, takeVanished(), atMs),
    missed: (atMs) => batchOf([upLabels], [0], [], atMs),
    gone(atMs, forGood) {
      const ends = [...[...entries.values()].map(({ labels }) => labels), tookLabels, countLabels];
      for (const [key, entry] of entries) ended.set(key, entry);
      entries.clear();
      said.clear();
      return forGood ? batchOf([], [], [...ends, upLabels], atMs) : batchOf([upLabels], [0], ends, atMs);
    },
    get count() {
      return entries.size;
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

const isName = (text: string) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text);

/** A machine cannot name itself: what it says of that is renamed, as Prometheus does. Undefined when it has no good name. */
function labelsIn(
  own: Readonly<Record<string, string>>,
  metric: string,
  labels: Readonly<Record<string, string>> = {},
): Labels | undefined {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric)) return undefined;
  const all: Record<string, string> = { ...own, [metricName]: metric };
  for (const [name, value] of Object.entries(labels)) {
    if (!isName(name) || name.startsWith("__")) continue;
    all[Object.hasOwn(own, name) ? `exported_${name}` : name] = value
      .slice(0, longestValue)
      .replaceAll(separator, " ")
      .toWellFormed();
  }
  return labelsOf(all);
}
