import { Fault } from "#base/fault.ts";
import type { Aggregation } from "../ast.ts";
import { kahan, type Sum } from "./kahan.ts";

/** Gathers the series of a group, cell by cell, into the columns it was opened with; after `finish` these are the result. */
export interface Accumulator {
  add(values: Float64Array, present: Uint8Array): void;
  finish(): void;
}

export function openAccumulator(op: Aggregation["op"], values: Float64Array, present: Uint8Array): Accumulator {
  switch (op) {
    case "sum":
      return openSum(values, present);
    case "avg":
      return openAverage(values, present);
    case "count":
      return openFold(
        values,
        present,
        () => 1,
        (count) => count + 1,
      );
    case "group":
      return openFold(
        values,
        present,
        () => 1,
        () => 1,
      );
    case "min":
      return openFold(
        values,
        present,
        (value) => value,
        (best, value) => (best > value || Number.isNaN(best) ? value : best),
      );
    case "max":
      return openFold(
        values,
        present,
        (value) => value,
        (best, value) => (best < value || Number.isNaN(best) ? value : best),
      );
    case "stddev":
      return openVariance(values, present, Math.sqrt);
    case "stdvar":
      return openVariance(values, present, (variance) => variance);
    default:
      throw new Fault("internal", `${op} is no aggregation of single cells`);
  }
}

function openFold(
  result: Float64Array,
  seen: Uint8Array,
  begin: (value: number) => number,
  step: (before: number, value: number) => number,
): Accumulator {
  return {
    add(values, present) {
      for (let i = 0; i < values.length; i++) {
        if (present[i] === 0) continue;
        const value = values[i] as number;
        result[i] = seen[i] === 0 ? begin(value) : step(result[i] as number, value);
        seen[i] = 1;
      }
    },
    finish() {},
  };
}

function openSum(result: Float64Array, seen: Uint8Array): Accumulator {
  const rests = new Float64Array(result.length);
  return {
    add(values, present) {
      for (let i = 0; i < values.length; i++) {
        if (present[i] === 0) continue;
        const value = values[i] as number;
        const sum = result[i] as number;
        const total = sum + value;
        // The first value meets a sum of 0, which gives back the value and no rest.
        if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) rests[i] = 0;
        else if (Math.abs(sum) >= Math.abs(value)) rests[i] = (rests[i] as number) + (sum - total + value);
        else rests[i] = (rests[i] as number) + (value - total + sum);
        result[i] = total;
        seen[i] = 1;
      }
    },
    finish() {
      for (let i = 0; i < result.length; i++) result[i] = (result[i] as number) + (rests[i] as number);
    },
  };
}

/** Sum over count; where the sum would overflow, a mean that is carried along. */
function openAverage(result: Float64Array, seen: Uint8Array): Accumulator {
  const [rests, counts] = [new Float64Array(result.length), new Float64Array(result.length)];
  const carried = new Uint8Array(result.length);
  const sum: Sum = { value: 0, rest: 0 };
  const addTo = (i: number, value: number) => {
    const count = (counts[i] as number) + 1;
    counts[i] = count;
    if (seen[i] === 0) {
      seen[i] = 1;
      result[i] = value;
      return;
    }
    sum.value = result[i] as number;
    sum.rest = rests[i] as number;
    if (carried[i] === 0) {
      const [before, rest] = [sum.value, sum.rest];
      kahan(sum, value);
      if (Math.abs(sum.value) === Number.POSITIVE_INFINITY) {
        carried[i] = 1;
        sum.value = before / (count - 1);
        sum.rest = rest / (count - 1);
      }
    }
    if (carried[i] === 1) {
      const share = (count - 1) / count;
      sum.value *= share;
      sum.rest *= share;
      kahan(sum, value / count);
    }
    result[i] = sum.value;
    rests[i] = sum.rest;
  };
  return {
    add(values, present) {
      for (let i = 0; i < values.length; i++) if (present[i] === 1) addTo(i, values[i] as number);
    },
    finish() {
      for (let i = 0; i < result.length; i++) {
        const [value, rest, count] = [result[i] as number, rests[i] as number, counts[i] as number];
        if (count > 0) result[i] = carried[i] === 1 ? value + rest : value / count + rest / count;
      }
    },
  };
}

/** Welford's way: a mean that is carried along and the sum of squares of the distances from it. */
function openVariance(result: Float64Array, seen: Uint8Array, finishOne: (variance: number) => number): Accumulator {
  const [means, counts] = [new Float64Array(result.length), new Float64Array(result.length)];
  return {
    add(values, present) {
      for (let i = 0; i < values.length; i++) {
        if (present[i] === 0) continue;
        const value = values[i] as number;
        const count = (counts[i] as number) + 1;
        counts[i] = count;
        if (seen[i] === 0) {
          seen[i] = 1;
          means[i] = value;
          result[i] = Number.isFinite(value) ? 0 : Number.NaN;
          continue;
        }
        const delta = value - (means[i] as number);
        const mean = (means[i] as number) + delta / count;
        means[i] = mean;
        result[i] = (result[i] as number) + delta * (value - mean);
      }
    },
    finish() {
      for (let i = 0; i < result.length; i++) {
        if (seen[i] === 1) result[i] = finishOne((result[i] as number) / (counts[i] as number));
      }
    },
  };
}
