import fc from "fast-check";
import { expect, test } from "vitest";
import {
  csvOf,
  greatestOf,
  moveTo,
  readInstant,
  readRange,
  seriesText,
  shortNames,
  summarise,
} from "./metrics-answer.ts";
import { dataOf, lonePoints, timeText } from "./metrics-columns.ts";

const grid = { startMs: 0, endMs: 4_000, stepMs: 1_000 };
const matrix = (values: unknown, metric: Record<string, string> = {}) => ({
  data: { resultType: "matrix", result: [{ metric, values }] },
});
const columnOf = (values: unknown) => [...(readRange(matrix(values), grid).lines[0]?.values ?? [])];

test("samples take their places on the grid, and what is missing stays missing", () => {
  expect(
    columnOf([
      [0, "1"],
      [2, "+Inf"],
      [4, "-0.5"],
    ]),
  ).toEqual([1, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN, -0.5]);
  expect(columnOf([[-1, "1"], [9, "2"], "x", [1]])).toEqual([
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
  expect(columnOf(undefined)).toHaveLength(5);
});

test("a moment is read of each kind of result", () => {
  const read = (resultType: string, result: unknown) => readInstant({ data: { resultType, result } }, 7).points;
  expect(read("scalar", [7, "3"])).toEqual([{ labels: {}, text: "3" }]);
  expect(read("string", [7, "a word"])).toEqual([{ labels: {}, text: "a word" }]);
  expect(read("vector", [{ metric: { a: "b" }, value: [7, "NaN"] }])).toEqual([{ labels: { a: "b" }, text: "NaN" }]);
  expect(
    read("matrix", [
      {
        metric: {},
        values: [
          [1, "1"],
          [2, "2"],
        ],
      },
    ]),
  ).toEqual([{ labels: {}, text: "2" }]);
});

test("a column moves on with its grid", () => {
  const values = Float64Array.of(1, 2, 3, 4, 5);
  const later = { startMs: 2_000, endMs: 6_000, stepMs: 1_000 };
  expect([...moveTo(values, grid, later)]).toEqual([3, 4, 5, Number.NaN, Number.NaN]);
  expect([...moveTo(values, later, grid)]).toEqual([Number.NaN, Number.NaN, 1, 2, 3]);
  expect(moveTo(values, grid, grid)).toBe(values);
  expect([...moveTo(values, grid, { startMs: 0, endMs: 2_000, stepMs: 2_000 })]).toEqual([Number.NaN, Number.NaN]);
});

test("a summary passes over what is missing", () => {
  expect(summarise(Float64Array.of(Number.NaN, 2, 4, Number.NaN))).toEqual({ least: 2, mean: 3, greatest: 4, last: 4 });
  expect(summarise(Float64Array.of(Number.NaN)).mean).toBeNaN();
});

test("of many the greatest are kept, in the order they came", () => {
  const lines = [3, 1, Number.NaN, 9, 7].map((value) => ({ values: Float64Array.of(value) }));
  expect(greatestOf(lines, 3).map(({ values }) => values[0])).toEqual([3, 9, 7]);
  expect(greatestOf(lines, 5)).toBe(lines);
});

test("names leave out what all have in common, but never everything", () => {
  const up = (job: string) => ({ __name__: "up", job, zone: "a" });
  expect(seriesText(up("x"))).toBe('up{job="x", zone="a"}');
  expect(shortNames([up("x"), up("y")])).toEqual(['{job="x"}', '{job="y"}']);
  expect(shortNames([up("x")])).toEqual(['up{job="x", zone="a"}']);
  expect(shortNames([up("x"), { __name__: "up", zone: "a" }])).toEqual(['{job="x"}', 'up{zone="a"}']);
  expect(seriesText({})).toBe("{}");
  expect(seriesText({ z: "\u202egpj.\u2066" })).toBe('{z="\\u202egpj.\\u2066"}');
});

test("CSV is read again as it was", () => {
  const cells = fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(cells, (rows) => void expect(readCsv(csvOf(rows))).toEqual(rows)));
});

function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

test("lines are drawn with gaps, stacked upon each other when they are shown", () => {
  const line = (values: readonly number[], shown = true) => ({ values: Float64Array.from(values), colour: 0, shown });
  const three = { startMs: 1_000, endMs: 3_000, stepMs: 1_000 };
  const lines = [line([1, Number.NaN, 3]), line([5, 5, 5], false), line([10, 20, Number.POSITIVE_INFINITY])];
  expect(dataOf(three, lines, false)).toEqual([
    [1, 2, 3],
    [1, null, 3],
    [5, 5, 5],
    [10, 20, null],
  ]);
  expect(dataOf(three, lines, true)).toEqual([
    [1, 2, 3],
    [1, null, 3],
    [5, 5, 5],
    [11, 20, null],
  ]);
  expect(lonePoints([1, null, 2, 3, null, 4])).toEqual([0, 5]);
});

test("times on the axis say the day once, and the year where days are far apart", () => {
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour, 5, 9).getTime() / 1_000;
  expect(timeText(at(21, 9), undefined, 3_600)).toBe("09:05\n11-21");
  expect(timeText(at(21, 10), at(21, 9), 3_600)).toBe("10:05");
  expect(timeText(at(21, 10), at(21, 9), 15)).toBe("10:05:09");
  expect(timeText(at(22, 0), at(21, 23), 3_600)).toBe("00:05\n11-22");
  expect(timeText(at(22, 0), undefined, 86_400)).toBe("11-22\n2026");
  expect(timeText(at(23, 0), at(22, 0), 86_400)).toBe("11-23");
});
