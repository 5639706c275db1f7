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

/** The rows as the target gets them: those of a series stand together, in their order. */
export function shapeRows(rows: TailRows, shape: Shape): TailRows {
  const bySeries = new Map<Labels, number[]>();
  for (const [row, one] of rows.labels.entries()) {
    const shaped = shape(one);
    if (shaped === undefined) continue;
    const known = bySeries.get(shaped);
    if (known) known.push(row);
    else bySeries.set(shaped, [row]);
  }
  const labels: Labels[] = [];
  const order: number[] = [];
  for (const [one, own] of bySeries) {
    for (const row of own) {
      labels.push(one);
      order.push(row);
    }
  }
  const values = new Float64Array(order.length);
  // By their bits: a marker of staleness is a NaN of its own.
  const [from, to] = [wordsOf(rows.values), wordsOf(values)];
  for (const [at, row] of order.entries()) {
    to[2 * at] = from[2 * row] as number;
    to[2 * at + 1] = from[2 * row + 1] as number;
  }
  return { labels, times: Float64Array.from(order, (row) => rows.times[row] as number), values };
}

/** A packed request of remote write 1.0 with the rows from `begin` to before `end`. */
export function packRows({ labels, times, values }: TailRows, begin: number, end: number): Uint8Array<ArrayBuffer> {
  const all: Series[] = [];
  for (let from = begin; from < end; ) {
    let to = from + 1;
    while (to < end && labels[to] === labels[from]) to++;
    all.push({ labels: labels[from] as Labels, times: times.subarray(from, to), values: values.subarray(from, to) });
    from = to;
  }
  return new Uint8Array(compress(writeWriteRequest(all)));
}
