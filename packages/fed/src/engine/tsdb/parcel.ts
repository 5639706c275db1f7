import { compress } from "snappyjs";
import { writeWriteRequest } from "../exposition/remote-write.ts";
import { type Labels, labelsOf, labelsToRecord } from "../series/labels.ts";
import { compileMatchers, type Matcher } from "../series/matcher.ts";
import type { Series } from "../series/series.ts";
import { wordsOf } from "./codec.ts";
import type { TailRows } from "./tail.ts";

/** What a target gets of the samples. */
export interface ParcelForm {
  /** Only series that fulfil one of these selectors; all when left out. */
  readonly only?: readonly (readonly Matcher[])[] | undefined;
  /** And none that fulfil one of these. */
  readonly drop?: readonly (readonly Matcher[])[] | undefined;
  /** Added to each series that has not such a label itself. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The series as the target gets it; undefined when it does not. The same array for the same series. */
export type Shape = (labels: Labels) => Labels | undefined;

/** Fault `invalid` for a bad regular expression. */
export function shapeOf({ only, drop = [], labels: added = {} }: ParcelForm): Shape {
  const wanted = only?.map(compileMatchers);
  const unwanted = drop.map(compileMatchers);
  const known = new WeakMap<Labels, { readonly labels: Labels | undefined }>();
  const plain = Object.keys(added).length === 0;
  const decide = (labels: Labels): Labels | undefined => {
    if (wanted && !wanted.some((holds) => holds(labels))) return undefined;
    if (unwanted.some((holds) => holds(labels))) return undefined;
    return plain ? labels : labelsOf({ ...added, ...labelsToRecord(labels) });
  };
  return (labels) => {
    const before = known.get(labels);
    if (before) return before.labels;
    const decided = decide(labels);
    known.set(labels, { labels: decided });
    return decided;
  };
}

export function shapeRows(rows: TailRows, shape: Shape): TailRows {
  const labels: Labels[] = [];
  const [times, values] = [new Float64Array(rows.times.length), new Float64Array(rows.times.length)];
  const [from, to] = [wordsOf(rows.values), wordsOf(values)];
  for (const [row, one] of rows.labels.entries()) {
    const shaped = shape(one);
    if (shaped === undefined) continue;
    const at = labels.push(shaped) - 1;
    times[at] = rows.times[row] as number;
    to[2 * at] = from[2 * row] as number;
    to[2 * at + 1] = from[2 * row + 1] as number;
  }
  return { labels, times: times.subarray(0, labels.length), values: values.subarray(0, labels.length) };
}

/** A packed request of remote write 1.0 with the rows from `begin` to before `end`; a series' samples keep their order. */
export function packRows(rows: TailRows, begin: number, end: number): Uint8Array<ArrayBuffer> {
  const bySeries = new Map<Labels, number[]>();
  for (let row = begin; row < end; row++) {
    const labels = rows.labels[row] as Labels;
    const known = bySeries.get(labels);
    if (known) known.push(row);
    else bySeries.set(labels, [row]);
  }
  const from = wordsOf(rows.values);
  const all = Array.from(bySeries, ([labels, mine]): Series => {
    const values = new Float64Array(mine.length);
    const words = wordsOf(values);
    for (const [at, row] of mine.entries()) {
      words[2 * at] = from[2 * row] as number;
      words[2 * at + 1] = from[2 * row + 1] as number;
    }
    return { labels, times: Float64Array.from(mine, (row) => rows.times[row] as number), values };
  });
  return new Uint8Array(compress(writeWriteRequest(all)));
}
