import type { Labels } from "./labels.ts";

/** A series' samples in a span of time. Columns, so that they travel between threads without being copied. */
export interface Series {
  readonly labels: Labels;
  /** Milliseconds since the epoch, whole numbers, ascending, none twice. */
  readonly times: Float64Array<ArrayBuffer>;
  /** One for each time. May hold stale markers, which are NaN of a pattern of their own: see `isStale`. */
  readonly values: Float64Array<ArrayBuffer>;
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
