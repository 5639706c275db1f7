import fc from "fast-check";
import { expect, test } from "vitest";
import { kahan } from "./kahan.ts";
import { bestBetween, bestStretches, sumBetween, sumStretches } from "./stretch.ts";

const numbers = fc.oneof(fc.double({ min: -1e12, max: 1e12, noNaN: true }), fc.constantFrom(0, -0, 1e16, -1e16, 1e-9));
const columns = fc.array(numbers, { minLength: 1, maxLength: 200 });
const places = fc.tuple(fc.nat(200), fc.nat(200));
const between = ([a, b]: readonly [number, number], count: number) =>
  [Math.min(a, b, count - 1), Math.max(Math.min(a, b, count - 1) + 1, Math.min(Math.max(a, b), count))] as const;

test("a sum by stretches is the sum of each value, to the last digits", () => {
  fc.assert(
    fc.property(columns, places, (list, place) => {
      const values = Float64Array.from(list);
      const [from, to] = between(place, values.length);
      const [slow, quick] = [
        { value: 0, rest: 0 },
        { value: 0, rest: 0 },
      ];
      for (const value of values.subarray(from, to)) kahan(slow, value);
      sumBetween(values, sumStretches(values), from, to, quick);
      const [a, b] = [slow.value + slow.rest, quick.value + quick.rest];
      const size = values.subarray(from, to).reduce((sum, value) => sum + Math.abs(value), 0);
      expect(Math.abs(a - b)).toBeLessThanOrEqual(Math.abs(a) * 1e-15 + size * 1e-30);
    }),
    { numRuns: 2_000 },
  );
});

test("the best by stretches is the best of each value, the first of equal ones", () => {
  const least = (values: Float64Array, from: number, to: number) => {
    let best = values[from] as number;
    for (const value of values.subarray(from + 1, to)) if (value < best || Number.isNaN(best)) best = value;
    return best;
  };
  const odd = fc.array(fc.oneof(fc.constantFrom(0, -0, Number.NaN, 1, Number.NEGATIVE_INFINITY), fc.integer()), {
    ...{ minLength: 1, maxLength: 200 },
  });
  fc.assert(
    fc.property(odd, places, (list, place) => {
      const values = Float64Array.from(list);
      const [from, to] = between(place, values.length);
      expect(bestBetween(values, bestStretches(values, least), from, to, least)).toBe(least(values, from, to));
    }),
    { numRuns: 2_000 },
  );
});
