import { type Labels, labelsKey, labelValue } from "../series/labels.ts";
import { compileMatchers } from "../series/matcher.ts";
import type { Queryable, Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";

/** A store in memory, for scripts and tests: no limits, nothing is kept. */
export interface MemoryStore {
  /** Adds samples to what is there; of two for one time the later one stays. */
  append(series: readonly Series[]): Promise<void>;
  clear(): Promise<void>;
  readonly queryable: Queryable;
}

export function openMemory(): MemoryStore {
  const all = new Map<string, Series>();
  const matching = (selection: Selection): Series[] => {
    const matches = compileMatchers(selection.matchers);
    return [...all.values()]
      .filter((one) => matches(one.labels))
      .map((one) => cut(one, selection))
      .filter((one) => one.times.length > 0);
  };
  const namesOf = (labels: Labels) => labels.filter((_, i) => i % 2 === 0);
  const queryable: Queryable = {
    async *select(selection, signal) {
      signal.throwIfAborted();
      yield matching(selection);
    },
    series: async (selection) => matching(selection).map((one) => one.labels),
    labelNames: async (selection) => sortedOnce(matching(selection).flatMap((one) => namesOf(one.labels))),
    labelValues: async (name, selection) =>
      sortedOnce(matching(selection).map((one) => labelValue(one.labels, name))).filter((value) => value !== ""),
  };
  return {
    queryable,
    async append(series) {
      for (const one of series) {
        const key = labelsKey(one.labels);
        const there = all.get(key);
        all.set(key, there === undefined ? one : merge(there, one));
      }
    },
    clear: async () => all.clear(),
  };
}

function sortedOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** Copies what lies in the span; slices keep the bits of a stale marker. */
function cut({ labels, times, values }: Series, { startMs, endMs }: Selection): Series {
  const [from, to] = [firstAtOrAfter(times, startMs), firstAtOrAfter(times, endMs + 1)];
  return { labels, times: times.slice(from, to), values: values.slice(from, to) };
}

function firstAtOrAfter(times: Float64Array, atMs: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Values travel as whole numbers of 64 bits: a NaN keeps its pattern. */
function merge(old: Series, added: Series): Series {
  const cells = new Map<number, bigint>();
  for (const { times, values } of [old, added]) {
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    for (const [i, time] of times.entries()) cells.set(time, bits[i] as bigint);
  }
  const times = Float64Array.from(cells.keys()).sort();
  const values = new Float64Array(times.length);
  const bits = new BigUint64Array(values.buffer);
  for (const [i, time] of times.entries()) bits[i] = cells.get(time) as bigint;
  return { labels: old.labels, times, values };
}
