import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsOf } from "../series/labels.ts";
import type { Series } from "../series/series.ts";
import { wordsOf } from "./codec.ts";
import { encodePage, openPage, pageLength } from "./page.ts";

const plain = ({ labels, times, values }: Series) => ({ labels, times: [...times], words: [...wordsOf(values)] });

const series = fc
  .record({
    name: fc.string({ unit: "binary", maxLength: 12 }),
    start: fc.constantFrom(0, 5, 1_700_000_000_000),
    words: fc.array(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)), { minLength: 1, maxLength: 30 }),
  })
  .map(
    ({ name, start, words }): Series => ({
      labels: labelsOf({ __name__: "größe", name: name.toWellFormed() }),
      times: Float64Array.from(words, (_, i) => start + i * 15_000),
      values: new Float64Array(Uint32Array.from(words.flat()).buffer),
    }),
  );

describe("encodePage", () => {
  it("gives every series back, in any order of reading", () => {
    fc.assert(
      fc.property(fc.array(series, { maxLength: 12 }), (all) => {
        const data = encodePage(all);
        expect(pageLength(data)).toBe(data.length);
        const page = openPage(data);
        expect(page?.labels).toEqual(all.map(({ labels }) => labels));
        for (let nth = all.length - 1; nth >= 0; nth--) {
          expect(page && plain(page.read(nth))).toEqual(plain(all[nth] as Series));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("notices each flipped bit and each missing end", () => {
    const values = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i));
    const times = Float64Array.from(values, (_, i) => i);
    const data = encodePage([{ labels: ["a", "b"], times, values }]);
    for (let bit = 0; bit < data.length * 8; bit++) {
      const flipped = data.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(openPage(flipped)).toBeUndefined();
    }
    for (let size = 0; size < data.length; size++) expect(openPage(data.subarray(0, size))).toBeUndefined();
  });

  it("keeps times that series share once", () => {
    const times = () => Float64Array.from({ length: 500 }, (_, i) => i * 1000 + ((i * 7919) % 997));
    const of = (nth: number): Series => ({ labels: ["n", `${nth}`], times: times(), values: new Float64Array(500) });
    const one = encodePage([of(1)]).length;
    const many = encodePage(Array.from({ length: 50 }, (_, nth) => of(nth))).length;
    expect(many - one).toBeLessThan(50 * 8);
  });
});
