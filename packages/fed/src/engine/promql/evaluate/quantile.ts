/** The quantile of values, which are sorted in place; NaN counts as the smallest. Between two values it lies linearly. */
export function quantileOf(quantile: number, values: Float64Array): number {
  const count = values.length;
  if (count === 0 || Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  values.sort();
  let numbers = count;
  while (numbers > 0 && Number.isNaN(values[numbers - 1])) numbers--;
  const missing = count - numbers;
  const at = (index: number) => (index < missing ? Number.NaN : (values[index - missing] as number));
  const rank = quantile * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const weight = rank - Math.floor(rank);
  return at(lower) * (1 - weight) + at(Math.min(count - 1, lower + 1)) * weight;
}

/** A classic histogram's buckets at one moment: counts of all values up to each bound, in columns, sorted by bound. */
export interface Buckets {
  readonly bounds: Float64Array;
  readonly counts: Float64Array;
  /** How many of the cells are in use. */
  length: number;
}

/** Whether the counts had to be forced to rise is told by `onForced`. Works in place. */
export function bucketQuantile(quantile: number, buckets: Buckets, onForced: () => void): number {
  if (Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  const { bounds, counts } = buckets;
  if (bounds[buckets.length - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  coalesce(buckets);
  if (forceRising(buckets)) onForced();
  const last = buckets.length - 1;
  const all = counts[last] as number;
  if (last < 1 || all === 0) return Number.NaN;
  let rank = quantile * all;
  const found = firstFrom(counts, last, rank);
  if (found === last) return bounds[last - 1] as number;
  const end = bounds[found] as number;
  if (found === 0 && end <= 0) return end;
  let count = counts[found] as number;
  let start = 0;
  if (found > 0) {
    start = bounds[found - 1] as number;
    count -= counts[found - 1] as number;
    rank -= counts[found - 1] as number;
  }
  return start + (end - start) * (rank / count);
}

/** First index below `length` with a count of at least `rank`, or `length`; a NaN is found by no rank. */
function firstFrom(counts: Float64Array, length: number, rank: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((counts[middle] as number) >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The share of values between two bounds. Works in place. */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  const { bounds, counts } = buckets;
  if (bounds[buckets.length - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  coalesce(buckets);
  const all = counts[buckets.length - 1] as number;
  if (all === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankBelow(upper, buckets, all) - rankBelow(lower, buckets, all)) / all;
}

/**
 * How many values are below a bound, linearly within a bucket. The first bucket begins at 0 when it ends above; else nobody
 * knows where, and its values count as smaller than all bounds.
 */
function rankBelow(bound: number, buckets: Buckets, all: number): number {
  let before = 0;
  let start = (buckets.bounds[0] as number) > 0 ? 0 : Number.NEGATIVE_INFINITY;
  for (let i = 0; i < buckets.length; i++) {
    if (start >= bound) return Math.min(before, all);
    const end = buckets.bounds[i] as number;
    const count = buckets.counts[i] as number;
    if (end > bound) {
      const share = start === Number.NEGATIVE_INFINITY ? 1 : (bound - start) / (end - start);
      return Math.min(before + (count - before) * share, all);
    }
    before = count;
    start = end;
  }
  return all;
}

/** Adds up buckets of the same bound. */
function coalesce(buckets: Buckets): void {
  const { bounds, counts } = buckets;
  let last = 0;
  for (let i = 1; i < buckets.length; i++) {
    if (bounds[i] === bounds[last]) {
      counts[last] = (counts[last] as number) + (counts[i] as number);
      continue;
    }
    last++;
    bounds[last] = bounds[i] as number;
    counts[last] = counts[i] as number;
  }
  buckets.length = last + 1;
}

/** Differences below this are rounding of floating point numbers and nobody's fault. */
const tolerance = 1e-12;

function forceRising({ counts, length }: Buckets): boolean {
  let forced = false;
  let before = counts[0] as number;
  for (let i = 1; i < length; i++) {
    const count = counts[i] as number;
    if (count === before) continue;
    if (almostEqual(before, count)) counts[i] = before;
    else if (count < before) {
      counts[i] = before;
      forced = true;
    } else before = count;
  }
  return forced;
}

const smallestNormal = 2 ** -1022;

function almostEqual(a: number, b: number): boolean {
  const [sum, distance] = [Math.abs(a) + Math.abs(b), Math.abs(a - b)];
  if (a === 0 || b === 0 || sum < smallestNormal) return distance < tolerance * smallestNormal;
  return distance / Math.min(sum, Number.MAX_VALUE) < tolerance;
}
