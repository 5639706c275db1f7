import { isStale, type SummaryColumn, setStale, summaryColumns } from "../series/series.ts";

/** Summaries of a series, ascending: a time, of the last sample in it, and all columns for each. */
export interface Summaries {
  readonly times: Float64Array<ArrayBuffer>;
  readonly columns: Readonly<Record<SummaryColumn, Float64Array<ArrayBuffer>>>;
}

/** One that is being gathered. */
interface Bucket {
  endMs: number;
  firstMs: number;
  lastMs: number;
  first: number;
  last: number;
  min: number;
  max: number;
  sum: number;
  rest: number;
  count: number;
  /** What the values before falls add up to. */
  fallen: number;
}

/**
 * Summaries of stretches `(k * stepMs, (k + 1) * stepMs]`. A stale marker becomes an entry when no sample follows it in its
 * stretch. Each function of PromQL that adds, counts or compares gives of them what it gives of the samples.
 */
export function summarise(times: Float64Array, values: Float64Array, stepMs: number): Summaries {
  const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
  // Of a stretch there is a summary, and perhaps an end.
  const into = openSummaries(Math.min(times.length, 2 * Math.floor(spanMs / stepMs) + 4));
  let open: Bucket | undefined;
  let endedMs = -1;
  for (let i = 0; i < times.length; i++) {
    const timeMs = times[i] as number;
    const value = values[i] as number;
    if (Number.isNaN(value) && isStale(values, i)) {
      if (endedMs < 0) endedMs = timeMs;
      continue;
    }
    const endMs = Math.ceil(timeMs / stepMs) * stepMs;
    if (open !== undefined && open.endMs !== endMs) {
      into.close(open);
      open = undefined;
    }
    if (endedMs >= 0 && endedMs <= endMs - stepMs) into.end(endedMs);
    endedMs = -1;
    if (open === undefined) open = bucketOf(endMs, timeMs, value);
    else take(open, timeMs, value);
  }
  if (open !== undefined) into.close(open);
  if (endedMs >= 0) into.end(endedMs);
  return into.summaries();
}

function bucketOf(endMs: number, timeMs: number, value: number): Bucket {
  const values = { first: value, last: value, min: value, max: value, sum: value, rest: 0, count: 1, fallen: 0 };
  return { endMs, firstMs: timeMs, lastMs: timeMs, ...values };
}

function take(open: Bucket, timeMs: number, value: number): void {
  if (value < open.last) open.fallen += open.last;
  if (value < open.min || Number.isNaN(open.min)) open.min = value;
  if (value > open.max || Number.isNaN(open.max)) open.max = value;
  const total = open.sum + value;
  if (Math.abs(total) === Number.POSITIVE_INFINITY) open.rest = 0;
  else open.rest += Math.abs(open.sum) >= Math.abs(value) ? open.sum - total + value : value - total + open.sum;
  open.sum = total;
  open.count++;
  open.last = value;
  open.lastMs = timeMs;
}

function openSummaries(most: number) {
  const times = new Float64Array(most);
  const columns = {} as Record<SummaryColumn, Float64Array<ArrayBuffer>>;
  for (const name of summaryColumns) columns[name] = new Float64Array(most);
  let count = 0;
  return {
    close(one: Bucket): void {
      times[count] = one.lastMs;
      columns.firstTime[count] = one.firstMs;
      columns.first[count] = one.first;
      columns.last[count] = one.last;
      columns.min[count] = one.min;
      columns.max[count] = one.max;
      columns.sum[count] = Number.isFinite(one.sum) ? one.sum + one.rest : one.sum;
      columns.count[count] = one.count;
      columns.increase[count] = one.last - one.first + one.fallen;
      count++;
    },
    end(timeMs: number): void {
      times[count] = timeMs;
      for (const name of summaryColumns) {
        if (name === "firstTime") columns.firstTime[count] = timeMs;
        else setStale(columns[name], count);
      }
      count++;
    },
    summaries(): Summaries {
      for (const name of summaryColumns) columns[name] = columns[name].slice(0, count);
      return { times: times.slice(0, count), columns };
    },
  };
}

/** From which columns one may follow, so that it need not be kept where it does: those of a series at rest are all the same. */
export const sources: Readonly<Partial<Record<SummaryColumn, readonly SummaryColumn[]>>> = {
  first: ["last"],
  min: ["first"],
  max: ["last"],
  sum: ["last", "count"],
  increase: ["last", "first"],
};

/** The column as it follows from its sources, given in their order. */
export function derive(
  name: SummaryColumn,
  [one, other]: readonly Float64Array<ArrayBuffer>[],
): Float64Array<ArrayBuffer> | undefined {
  if (one === undefined || other === undefined) return one;
  const made = new Float64Array(one.length);
  for (let i = 0; i < made.length; i++) {
    const [a, b] = [one[i] as number, other[i] as number];
    if (Number.isNaN(a) && isStale(one, i)) setStale(made, i);
    else made[i] = name === "sum" ? a * b : a - b;
  }
  return made;
}
