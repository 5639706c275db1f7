import type { Labels } from "./labels.ts";

/** A series' samples in a span of time. Columns, so that they travel between threads without being copied. */
export interface Series {
  readonly labels: Labels;
  /** Milliseconds since the epoch, whole numbers, ascending, none twice. */
  readonly times: Float64Array<ArrayBuffer>;
  /** One for each time. May hold stale markers, which are NaN of a pattern of their own: see `isStale`. */
  readonly values: Float64Array<ArrayBuffer>;
  /** Says that old samples are not there themselves. */
  readonly coarse?: Coarse | undefined;
}

/** What a summary keeps of the samples in a stretch `(k * step, (k + 1) * step]` of time. */
export const summaryColumns = ["last", "first", "firstTime", "min", "max", "sum", "count", "increase"] as const;
export type SummaryColumn = (typeof summaryColumns)[number];

/**
 * The first entries of a series are summaries: each has the time of the last sample it stands for, and as its value the first of the
 * columns that were asked for. A stale marker is an entry of its own. From the entry `entries` on there are samples.
 */
export interface Coarse {
  readonly entries: number;
  /** The longest stretch that one of them stands for. */
  readonly stepMs: number;
  /** Those that were asked for, each `entries` long. A sample among summaries is one of itself. */
  readonly columns: Readonly<Partial<Record<SummaryColumn, Float64Array<ArrayBuffer>>>>;
}

/** The bits of the NaN with which Prometheus says "this series has ended here": high and low half. */
const staleHigh = 0x7ff00000;
const staleLow = 0x00000002;

const one = new DataView(new ArrayBuffer(8));

/**
 * Whether the value at an index is the stale marker. Asked of the array, because a NaN that passes through a plain number
 * may lose its pattern.
 */
export function isStale(values: Float64Array, index: number): boolean {
  const view = viewOf(values);
  return view.getUint32(index * 8, true) === staleLow && view.getUint32(index * 8 + 4, true) === staleHigh;
}

export function setStale(values: Float64Array, index: number): void {
  const view = viewOf(values);
  view.setUint32(index * 8, staleLow, true);
  view.setUint32(index * 8 + 4, staleHigh, true);
}

function viewOf(values: Float64Array): DataView {
  return values.length === 0 ? one : new DataView(values.buffer, values.byteOffset, values.byteLength);
}
