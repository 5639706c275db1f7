import fc from "fast-check";
import { expect, it } from "vitest";
import { mergeColumns } from "./merge.ts";

const part = fc.uniqueArray(fc.nat(60), { maxLength: 12 }).map((times) => {
  const sorted = times.sort((a, b) => a - b);
  // Longer than its samples, as what is being gathered is.
  const column = () => Float64Array.from([...sorted, 0, 0]);
  return { times: column(), values: column(), count: sorted.length };
});
const end = fc.oneof(fc.nat(70), fc.constant(Infinity), fc.double({ min: 0, max: 70, noNaN: true }));

it("makes one ascending column of any parts, each time once, cut at both ends", () => {
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 5 }),
      fc.oneof(fc.nat(30), fc.constant(-Infinity)),
      end,
      (parts, startMs, endMs) => {
        const marked = parts.map((one, nth) => ({ ...one, values: one.values.map((value) => value + nth * 1000) }));
        const { times, values, count } = mergeColumns(marked, startMs, endMs);
        const all = parts.flatMap((one) => [...one.times.subarray(0, one.count)]);
        const expected = [...new Set(all)].filter((time) => time >= startMs && time <= endMs).sort((a, b) => a - b);
        expect([...times]).toEqual(expected);
        expect(count).toBe(expected.length);
        expect([...values].map((value) => value % 1000)).toEqual(expected);
      },
    ),
    { numRuns: 2000 },
  );
});
