import { kahan, type Sum } from "./kahan.ts";
import { quantileOf } from "./quantile.ts";
import type { Samples } from "./samples.ts";
import {
  type Best,
  bestBetween,
  bestStretches,
  leastForStretches,
  type Stretches,
  sumBetween,
  sumStretches,
} from "./stretch.ts";

/** What a function over a range sees at one step: the samples `from` to `to` (excluded), at least as many as it needs. */
export interface Window {
  readonly samples: Samples;
  /** Where values fall below the one before, ascending: a counter that began anew. */
  readonly resets: readonly number[];
  /** Of summaries, in place of the resets. */
  readonly falls: Float64Array | undefined;
  readonly rangeMs: number;
  from: number;
  to: number;
  /** Of the range; `at` is when the function is asked, which `@` and `offset` do not move. */
  endMs: number;
  atMs: number;
  /** The scalar argument of this step. */
  param: number;
  /** Of these samples, once a function has made them. */
  stretches?: Stretches | undefined;
}

export interface WindowFunction {
  /** Samples without which there is no result. */
  readonly least: 1 | 2;
  of(window: Window): number;
}

/** Exact positions of counter resets, found once for all windows of a series. */
export function findResets(values: Float64Array): readonly number[] {
  const found: number[] = [];
  for (let i = 1; i < values.length; i++) if ((values[i] as number) < (values[i - 1] as number)) found.push(i);
  return found;
}

export const windowFunctions: Readonly<Record<string, WindowFunction>> = {
  rate: { least: 2, of: (window) => extrapolate(window, true, window.rangeMs / 1000) },
  increase: { least: 2, of: (window) => extrapolate(window, true, 1) },
  delta: { least: 2, of: (window) => extrapolate(window, false, 1) },
  irate: { least: 2, of: (window) => lastChange(window, true) },
  idelta: { least: 2, of: (window) => lastChange(window, false) },
  deriv: { least: 2, of: (w) => regression(w, w.samples.times[w.from] as number).slope },
  predict_linear: { least: 2, of: predict },
  changes: { least: 1, of: countChanges },
  resets: { least: 1, of: (w) => resetsInside(w, (count) => count + 1, 0) },
  sum_over_time: { least: 1, of: sumOver },
  avg_over_time: { least: 1, of: averageOver },
  min_over_time: { least: 1, of: (w) => extreme(w, least) },
  max_over_time: { least: 1, of: (w) => extreme(w, greatest) },
  count_over_time: { least: 1, of: (w) => w.to - w.from },
  last_over_time: { least: 1, of: (w) => w.samples.values[w.to - 1] as number },
  stddev_over_time: { least: 1, of: (w) => Math.sqrt(variance(w)) },
  stdvar_over_time: { least: 1, of: variance },
  quantile_over_time: { least: 1, of: (w) => quantileOf(w.param, w.samples.values.slice(w.from, w.to)) },
  present_over_time: { least: 1, of: () => 1 },
  absent_over_time: { least: 1, of: () => 1 },
};

function resetsInside(w: Window, step: (before: number, index: number) => number, begin: number): number {
  const { resets } = w;
  if (resets.length === 0) return begin;
  let [low, high] = [0, resets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((resets[middle] as number) <= w.from) low = middle + 1;
    else high = middle;
  }
  let result = begin;
  for (let i = low; i < resets.length && (resets[i] as number) < w.to; i++) result = step(result, resets[i] as number);
  return result;
}

/**
 * The growth over the range, divided. Samples that lie closer to an end of the range than 1.1 times their mean distance are drawn
 * out to it, others by half of that distance, a counter never below zero.
 */
function extrapolate(w: Window, isCounter: boolean, divisor: number): number {
  const { times, values } = w.samples;
  const last = w.to - 1;
  const first = values[w.from] as number;
  const [firstMs, lastMs] = [times[w.from] as number, times[last] as number];
  let growth = (values[last] as number) - first;
  if (isCounter) growth = resetsInside(w, (sum, index) => sum + (values[index - 1] as number), growth);
  let toStart = (firstMs - (w.endMs - w.rangeMs)) / 1000;
  let toEnd = (w.endMs - lastMs) / 1000;
  const sampled = (lastMs - firstMs) / 1000;
  const mean = sampled / (last - w.from);
  const threshold = mean * 1.1;
  if (toStart >= threshold) toStart = mean / 2;
  if (isCounter && growth > 0 && first >= 0) {
    const toZero = sampled * (first / growth);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = mean / 2;
  return growth * ((sampled + toStart + toEnd) / sampled / divisor);
}

function lastChange(w: Window, isRate: boolean): number {
  const { times, values } = w.samples;
  const [before, after] = [values[w.to - 2] as number, values[w.to - 1] as number];
  const change = isRate && after < before ? after : after - before;
  return isRate ? change / (((times[w.to - 1] as number) - (times[w.to - 2] as number)) / 1000) : change;
}

function countChanges(w: Window): number {
  const { values } = w.samples;
  let count = 0;
  for (let i = w.from + 1; i < w.to; i++) {
    const [before, after] = [values[i - 1] as number, values[i] as number];
    if (before !== after && !(Number.isNaN(before) && Number.isNaN(after))) count++;
  }
  return count;
}

function extreme(w: Window, best: Best): number {
  const { values } = w.samples;
  if (w.to - w.from < leastForStretches) return best(values, w.from, w.to);
  w.stretches ??= bestStretches(values, best);
  return bestBetween(values, w.stretches, w.from, w.to, best);
}

function least(values: Float64Array, from: number, to: number): number {
  let best = values[from] as number;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    if (value < best || Number.isNaN(best)) best = value;
  }
  return best;
}

function greatest(values: Float64Array, from: number, to: number): number {
  let best = values[from] as number;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    if (value > best || Number.isNaN(best)) best = value;
  }
  return best;
}

const whole: Sum = { value: 0, rest: 0 };

/** Whether the sum of a long window is found, in `whole`. What is not finite has to be looked at value by value. */
function sumOfStretches(w: Window): boolean {
  const { values } = w.samples;
  if (w.to - w.from < leastForStretches) return false;
  w.stretches ??= sumStretches(values);
  whole.value = 0;
  whole.rest = 0;
  sumBetween(values, w.stretches, w.from, w.to, whole);
  return Number.isFinite(whole.value + whole.rest);
}

/** As `kahan`, with the sum in two plain variables. */
function sumOver(w: Window): number {
  if (sumOfStretches(w)) return whole.value + whole.rest;
  const { values } = w.samples;
  let [sum, rest] = [0, 0];
  for (let i = w.from; i < w.to; i++) {
    const value = values[i] as number;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) rest = 0;
    else rest += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    sum = total;
  }
  return Number.isFinite(sum) ? sum + rest : sum;
}

/** Sum over count; where the sum would overflow, a mean that is carried along. */
function averageOver(w: Window): number {
  const all = w.to - w.from;
  if (sumOfStretches(w)) return whole.value / all + whole.rest / all;
  const { values } = w.samples;
  let sum = values[w.from] as number;
  let rest = 0;
  for (let i = w.from + 1; i < w.to; i++) {
    const value = values[i] as number;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) return carriedMean(w, i, sum, rest);
    rest += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    sum = total;
  }
  return sum / all + rest / all;
}

function carriedMean(w: Window, index: number, sum: number, rest: number): number {
  const seen = index - w.from;
  const mean: Sum = { value: sum / seen, rest: rest / seen };
  for (let i = index; i < w.to; i++) {
    const count = i - w.from + 1;
    const share = (count - 1) / count;
    mean.value *= share;
    mean.rest *= share;
    kahan(mean, (w.samples.values[i] as number) / count);
  }
  return mean.value + mean.rest;
}

function variance(w: Window): number {
  const { values } = w.samples;
  const mean: Sum = { value: 0, rest: 0 };
  const sum: Sum = { value: 0, rest: 0 };
  for (let i = w.from; i < w.to; i++) {
    const value = values[i] as number;
    const delta = value - (mean.value + mean.rest);
    kahan(mean, delta / (i - w.from + 1));
    kahan(sum, delta * (value - (mean.value + mean.rest)));
  }
  return (sum.value + sum.rest) / (w.to - w.from);
}

function predict(w: Window): number {
  const { slope, intercept } = regression(w, w.atMs);
  return slope * w.param + intercept;
}

/** Least squares; the intercept is the value at `zeroMs`. */
function regression(w: Window, zeroMs: number): { slope: number; intercept: number } {
  const { times, values } = w.samples;
  const [x, y, xy, xx]: [Sum, Sum, Sum, Sum] = [zero(), zero(), zero(), zero()];
  const first = values[w.from] as number;
  let constant = true;
  for (let i = w.from; i < w.to; i++) {
    const value = values[i] as number;
    if (value !== first && i > w.from) constant = false;
    const seconds = ((times[i] as number) - zeroMs) / 1000;
    kahan(x, seconds);
    kahan(y, value);
    kahan(xy, seconds * value);
    kahan(xx, seconds * seconds);
  }
  if (constant) {
    return Math.abs(first) === Number.POSITIVE_INFINITY
      ? { slope: Number.NaN, intercept: Number.NaN }
      : { slope: 0, intercept: first };
  }
  const n = w.to - w.from;
  const [sumX, sumY] = [x.value + x.rest, y.value + y.rest];
  const covariance = xy.value + xy.rest - (sumX * sumY) / n;
  const spread = xx.value + xx.rest - (sumX * sumX) / n;
  const slope = covariance / spread;
  return { slope, intercept: sumY / n - (slope * sumX) / n };
}

function zero(): Sum {
  return { value: 0, rest: 0 };
}
