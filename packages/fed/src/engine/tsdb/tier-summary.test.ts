import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isStale, setStale, summaryColumns } from "../series/series.ts";
import { derive, sources, summarise } from "./tier-summary.ts";

const stepMs = 100;

/** Values as they stand in time, `undefined` for a stale marker. */
function summariesOf(rows: readonly (readonly [timeMs: number, value: number | undefined])[]) {
  const times = Float64Array.from(rows, ([timeMs]) => timeMs);
  const values = Float64Array.from(rows, ([, value]) => value ?? 0);
  for (const [i, [, value]] of rows.entries()) if (value === undefined) setStale(values, i);
  const { times: at, columns } = summarise(times, values, stepMs);
  return [...at].map((timeMs, i) =>
    isStale(columns.last, i)
      ? `${timeMs} ended`
      : `${timeMs} ${summaryColumns.map((name) => columns[name][i]).join(" ")}`,
  );
}

describe("a summary", () => {
  it("stands for (start, end], keeps every column, and adds up falls of a counter", () => {
    // last first firstTime min max sum count increase
    expect(
      summariesOf([
        [200, 5],
        [201, 7],
        [250, 9],
        [260, 2],
        [300, 4],
        [301, 1],
      ]),
    ).toEqual(["200 5 5 200 5 5 5 1 0", "300 4 7 201 2 9 22 4 6", "301 1 1 301 1 1 1 1 0"]);
  });

  it("tells where a series ended, but not where it went on in the same stretch", () => {
    expect(
      summariesOf([
        [210, 1],
        [220, undefined],
        [230, 2],
        [240, undefined],
        [290, undefined],
        [410, 3],
        [500, undefined],
      ]),
    ).toEqual(["230 2 1 210 1 2 3 2 1", "240 ended", "410 3 3 410 3 3 3 1 0", "500 ended"]);
  });

  it("adds up to what the samples are, whatever they are", () => {
    const row = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: -100, max: 100 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), (rows) => {
        let timeMs = 1000;
        const times = Float64Array.from(rows, ([afterMs]) => (timeMs += afterMs));
        const values = Float64Array.from(rows, ([, value]) => value / 10);
        const { columns } = summarise(times, values, stepMs);
        const sum = (numbers: Float64Array) => numbers.reduce((all, one) => all + one, 0);
        expect(sum(columns.count)).toBe(times.length);
        expect(sum(columns.sum)).toBeCloseTo(sum(values), 9);
        expect(Math.min(...columns.min)).toBe(Math.min(...values));
        expect(Math.max(...columns.max)).toBe(Math.max(...values));
        let [grown, told] = [0, 0];
        for (let i = 1; i < values.length; i++) grown += growth(values[i - 1], values[i]);
        for (let i = 0; i < columns.last.length; i++) {
          told += columns.increase[i] as number;
          if (i > 0) told += growth(columns.last[i - 1], columns.first[i]);
        }
        expect(told).toBeCloseTo(grown, 9);
      }),
    );
  });

  it("of a series at rest follows from its last values and counts", () => {
    const times = Float64Array.from({ length: 50 }, (_, i) => 1000 + 10 * i);
    const { columns } = summarise(times, new Float64Array(50).fill(2.5), stepMs);
    for (const [name, from] of Object.entries(sources)) {
      const made = derive(
        name as keyof typeof columns,
        from.map((source) => columns[source]),
      );
      expect(made).toEqual(columns[name as keyof typeof columns]);
    }
  });
});

function growth(before: number | undefined, after: number | undefined): number {
  const [from, to] = [before as number, after as number];
  return to < from ? to : to - from;
}
