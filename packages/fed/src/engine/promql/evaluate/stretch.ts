import type { Sum } from "./kahan.ts";

/**
 * What is known of whole stretches of a column, so that windows that lie over the same samples need not look at each of them
 * again: a window is the samples of two stretches' ends and all stretches between. Only ever added to, never taken from: a sum from
 * which what has left the window is subtracted would carry the errors of numbers that are no longer in it.
 */
export interface Stretches {
  readonly values: Float64Array;
  /** Of sums: what they lack to be exact. */
  readonly rests: Float64Array;
}

/** Samples in a stretch. */
const length = 16;

/** Windows of fewer samples are quicker looked at one by one. */
export const leastForStretches = 48;

export function sumStretches(values: Float64Array): Stretches {
  const count = Math.floor(values.length / length);
  const stretches = { values: new Float64Array(count), rests: new Float64Array(count) };
  for (let i = 0; i < count; i++) {
    const sum = { value: 0, rest: 0 };
    addEach(values, i * length, (i + 1) * length, sum);
    stretches.values[i] = sum.value;
    stretches.rests[i] = sum.rest;
  }
  return stretches;
}

/** Adds the values `from` to `to` (excluded), by stretches where they are whole. An overflow yields what is not finite. */
export function sumBetween(values: Float64Array, stretches: Stretches, from: number, to: number, into: Sum): void {
  const [first, last] = [Math.ceil(from / length), Math.floor(to / length)];
  if (first >= last) {
    addEach(values, from, to, into);
    return;
  }
  addEach(values, from, first * length, into);
  addEach(stretches.values, first, last, into);
  for (let i = first; i < last; i++) into.rest += stretches.rests[i] as number;
  addEach(values, last * length, to, into);
}

/** As `kahan` does, with the sum in two plain variables: this loop is the hottest of all. */
function addEach(values: Float64Array, from: number, to: number, into: Sum): void {
  let [sum, rest] = [into.value, into.rest];
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const total = sum + value;
    rest += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    sum = total;
  }
  into.value = sum;
  into.rest = rest;
}

/** The best value from one index to another; NaN only where there is nothing else. */
export type Best = (values: Float64Array, from: number, to: number) => number;

export function bestStretches(values: Float64Array, best: Best): Stretches {
  const found = new Float64Array(Math.floor(values.length / length));
  for (let i = 0; i < found.length; i++) found[i] = best(values, i * length, (i + 1) * length);
  return { values: found, rests: found };
}

const three = new Float64Array(3);

export function bestBetween(values: Float64Array, stretches: Stretches, from: number, to: number, best: Best): number {
  const [first, last] = [Math.ceil(from / length), Math.floor(to / length)];
  if (first >= last) return best(values, from, to);
  const within = best(stretches.values, first, last);
  // In their order: of equal values the first counts, and there are two zeros.
  let count = 0;
  if (from < first * length) three[count++] = best(values, from, first * length);
  three[count++] = within;
  if (last * length < to) three[count++] = best(values, last * length, to);
  return best(three, 0, count);
}
