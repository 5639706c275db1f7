import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { setStale } from "../series/series.ts";
import { bytesOf, cursorOf, written } from "./bytes.ts";
import { decodeTimes, decodeValues, encodeTimes, encodeValues, latestMs, wordsOf } from "./codec.ts";

function roundTrip(values: Float64Array<ArrayBuffer>): { readonly back: Float64Array; readonly sizeBytes: number } {
  const [head, body] = [bytesOf(1), bytesOf(1)];
  encodeValues(values, head, body);
  const back = new Float64Array(values.length);
  const [from, planes] = [cursorOf(written(head)), cursorOf(written(body))];
  decodeValues(from, planes, values.length, back);
  expect([from.at, planes.at]).toEqual([head.at, body.at]);
  return { back, sizeBytes: head.at + body.at };
}

const bits = (values: Float64Array) => [...wordsOf(values)];

/** Floats by their bits, so that every NaN is among them. */
const anyBits = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)).map(([low, high]) => [low, high] as const);
const special = fc.constantFrom<readonly [number, number]>(
  [0, 0],
  [0, 0x80000000],
  [0, 0x7ff00000],
  [0, 0xfff00000],
  [2, 0x7ff00000],
  [1, 0x7ff80000],
  [0xffffffff, 0xffffffff],
  [1, 0],
  [0xffffffff, 0x000fffff],
  [0xffffffff, 0x7fefffff],
  [0, 0x43400000],
);
const number = (value: number) => {
  const words = wordsOf(Float64Array.of(value));
  return [words[0] as number, words[1] as number] as const;
};
const decimal = fc
  .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.integer({ min: 0, max: 12 }))
  .map(([whole, digits]) => number(whole / 10 ** digits));
const large = fc.maxSafeInteger().map(number);
const columns = fc.oneof(
  fc.array(anyBits, { maxLength: 40 }),
  fc.array(fc.oneof(decimal, special), { maxLength: 80 }),
  fc.array(fc.oneof({ weight: 20, arbitrary: decimal }, { weight: 1, arbitrary: special }), { maxLength: 120 }),
  fc.array(fc.oneof(large, decimal), { maxLength: 40 }),
  fc.array(large, { maxLength: 40 }),
);
const columnOf = (pairs: readonly (readonly [number, number])[]) =>
  new Float64Array(Uint32Array.from(pairs.flat()).buffer);

describe("encodeValues", () => {
  it("gives every float back with its bits, whatever stands beside it", () => {
    fc.assert(
      fc.property(columns, (pairs) => {
        const values = columnOf(pairs);
        expect(bits(roundTrip(values).back)).toEqual(bits(values));
      }),
      { numRuns: 2000 },
    );
  });

  it("gives walks of numbers with many digits back", () => {
    const steps = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 9 }), fc.boolean(), (walk, digits, squared) => {
        let [sum, slope] = [0, 0];
        const values = Float64Array.from(walk, (step) => {
          slope = squared ? slope + step : step;
          sum += slope;
          return sum / 10 ** digits;
        });
        expect(bits(roundTrip(values).back)).toEqual(bits(values));
      }),
      { numRuns: 1000 },
    );
  });

  it("takes a few bytes for what does not change, grows evenly, or changes by whole pages", () => {
    const column = (make: (i: number) => number) => Float64Array.from({ length: 1000 }, (_, i) => make(i));
    expect(roundTrip(column(() => 0.1)).sizeBytes).toBeLessThan(12);
    expect(roundTrip(column((i) => 5 + i * 0.25)).sizeBytes).toBeLessThan(20);
    expect(roundTrip(column((i) => ((i * 7919) % 200) * 4096)).sizeBytes).toBeLessThan(1030);
    expect(roundTrip(column((i) => ((i * 7919) % 200) / 100)).sizeBytes).toBeLessThan(1030);
  });

  it("keeps a counter short that begins anew or goes stale", () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i < 500 ? 1e9 + i * 3 : i * 3 - 1500));
    setStale(values, 499);
    setStale(values, 999);
    const { back, sizeBytes } = roundTrip(values);
    expect(bits(back)).toEqual(bits(values));
    expect(sizeBytes).toBeLessThan(1000 * 5);
  });

  it("throws a RangeError, and no more than that, at bytes that are no column", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(20),
        (head, body, count) => {
          try {
            decodeValues(cursorOf(head), cursorOf(body), count, new Float64Array(count));
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(RangeError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("encodeTimes", () => {
  it("gives every ascending column of times back", () => {
    const gap = fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 43 }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 49 }), fc.array(gap, { maxLength: 60 }), (start, gaps) => {
        let at = start;
        const times = Float64Array.from([start, ...gaps.map((ms) => (at += ms))]);
        const [head, body] = [bytesOf(), bytesOf()];
        encodeTimes(times, head, body);
        const back = new Float64Array(times.length);
        decodeTimes(cursorOf(written(head)), cursorOf(written(body)), times.length, back);
        expect([...back]).toEqual([...times]);
      }),
      { numRuns: 1000 },
    );
    const ends = Float64Array.of(0, 1, latestMs - 1, latestMs);
    const [head, body] = [bytesOf(), bytesOf()];
    encodeTimes(ends, head, body);
    const back = new Float64Array(4);
    decodeTimes(cursorOf(written(head)), cursorOf(written(body)), 4, back);
    expect([...back]).toEqual([...ends]);
  });
});
