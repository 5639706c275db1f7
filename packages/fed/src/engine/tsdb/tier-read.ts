import type { Labels } from "../series/labels.ts";
import { type Coarse, isStale, type Series, type SummaryColumn, setStale } from "../series/series.ts";
import type { Shelf } from "./shelf.ts";
import { readSummaries } from "./tier-file.ts";
import type { Plan, Segment } from "./tier-plan.ts";

interface Samples {
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

interface Part {
  readonly isCoarse: boolean;
  readonly times: Float64Array<ArrayBuffer>;
  /** One for samples. */
  readonly columns: readonly Float64Array<ArrayBuffer>[];
}

/** A series as the plan says, of summaries and samples. `read` gives the samples of a segment. */
export async function readPlanned(
  shelf: Shelf,
  { segments, stepMs }: Plan,
  columns: readonly SummaryColumn[],
  { id, labels }: { readonly id: number; readonly labels: Labels },
  read: (segment: Segment) => Promise<Samples>,
): Promise<Series> {
  const parts: Part[] = [];
  for (const segment of segments) {
    if (segment.file === undefined) {
      const { times, values } = await read(segment);
      if (times.length > 0) parts.push({ isCoarse: false, times, columns: [values] });
      continue;
    }
    for (const part of await readSummaries(shelf, segment.file, id, columns)) {
      const [from, to] = [indexAt(part.times, segment.startMs), indexAt(part.times, segment.endMs + 1)];
      const cut = part.columns.map((column) => column.subarray(from, to));
      if (to > from) parts.push({ isCoarse: true, times: part.times.subarray(from, to), columns: cut });
    }
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && !only.isCoarse)
    return { labels, times: only.times, values: only.columns[0] as Float64Array<ArrayBuffer> };
  const last = parts.findLastIndex(({ isCoarse }) => isCoarse);
  const values = concat(
    parts.map((part, i) => (i > last ? part.columns[0] : columnOf(part, columns, 0)) as Float64Array),
  );
  const times = concat(parts.map((part) => part.times));
  if (last < 0) return { labels, times, values };
  const coarse = parts.slice(0, last + 1);
  const found: Coarse = {
    entries: coarse.reduce((sum, part) => sum + part.times.length, 0),
    stepMs,
    columns: Object.fromEntries(
      columns.map((name, i) => [name, concat(coarse.map((part) => columnOf(part, columns, i)))]),
    ),
  };
  return { labels, times, values, coarse: found };
}

/** A column of a part; each of its samples as a summary of itself. */
function columnOf(
  { isCoarse, times, columns: [values, ...others] }: Part,
  names: readonly SummaryColumn[],
  nth: number,
): Float64Array {
  if (isCoarse || values === undefined) return (nth === 0 ? values : others[nth - 1]) as Float64Array;
  const name = names[nth];
  if (name === "firstTime") return times;
  if (name !== "count" && name !== "increase") return values;
  const made = new Float64Array(times.length).fill(name === "count" ? 1 : 0);
  for (let i = 0; i < made.length; i++) if (Number.isNaN(values[i]) && isStale(values, i)) setStale(made, i);
  return made;
}

/** A new array, with the bits of what may be NaN. */
function concat(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The index of the first time that is not before `timeMs`. */
export function indexAt(times: Float64Array, timeMs: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
