import { metricName } from "../series/labels.ts";
import { slabSamples } from "./arena.ts";
import { hasSeries, lastMsOf, seriesIn, waitingOf } from "./head.ts";
import { idsIn } from "./id-list.ts";
import type { Store } from "./store.ts";

/** Where the series in memory come from: names and labels with how many, most first. */
export interface Cardinality {
  readonly series: number;
  /** Different pairs of label and value. */
  readonly labelPairs: number;
  /** Of at most 32 samples. */
  readonly chunks: number;
  /** Of the samples in memory, the start rounded down to a span of blocks; both 0 when there are none. */
  readonly startMs: number;
  readonly endMs: number;
  readonly metrics: readonly Count[];
  /** How many values a label has. */
  readonly labels: readonly Count[];
  /** Bytes of a label's values, counted for each series. */
  readonly labelBytes: readonly Count[];
  readonly pairs: readonly Count[];
}

export interface Count {
  readonly name: string;
  readonly count: number;
}

/** Lists of at most `most`. */
export function cardinalityOf({ head, postings }: Store, most: number): Cardinality {
  const [metrics, labels, labelBytes, pairs] = [topOf(most), topOf(most), topOf(most), topOf(most)];
  let labelPairs = 0;
  for (const [label, byValue] of postings.byName) {
    let [values, sizeBytes] = [0, 0];
    for (const [value, ids] of byValue) {
      let series = 0;
      for (const id of idsIn(ids)) if (hasSeries(head, id)) series++;
      if (series === 0) continue;
      values++;
      sizeBytes += Buffer.byteLength(value) * series;
      if (label === metricName) metrics.add(value, series);
      pairs.add(`${label}=${value}`, series);
    }
    if (values === 0) continue;
    labelPairs += values;
    labels.add(label, values);
    labelBytes.add(label, sizeBytes);
  }
  return {
    ...{ series: head.count, labelPairs, ...spanOf(head) },
    ...{ metrics: metrics.list(), labels: labels.list(), labelBytes: labelBytes.list(), pairs: pairs.list() },
  };
}

function spanOf(head: Store["head"]): Pick<Cardinality, "startMs" | "endMs" | "chunks"> {
  let [startMs, endMs, chunks] = [Infinity, -Infinity, 0];
  for (const id of seriesIn(head)) {
    endMs = Math.max(endMs, lastMsOf(head, id));
    const waiting = waitingOf(head, id);
    if (waiting === undefined) continue;
    chunks++;
    startMs = Math.min(startMs, waiting.times[0] as number);
  }
  for (const arena of head.arenas) {
    chunks += Math.ceil(arena.samples / slabSamples);
    if (arena.samples > 0 || arena.late.size > 0) startMs = Math.min(startMs, arena.startMs);
  }
  return endMs === -Infinity ? { startMs: 0, endMs: 0, chunks } : { startMs: Math.min(startMs, endMs), endMs, chunks };
}

/** Keeps the greatest, without keeping all. */
function topOf(most: number) {
  let kept: Count[] = [];
  const sort = () => kept.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, most);
  return {
    add(name: string, count: number) {
      kept.push({ name, count });
      if (kept.length > 2 * most + 1_000) kept = sort();
    },
    list: (): readonly Count[] => sort(),
  };
}
