import { expect, test } from "vitest";
import { chart } from "./chart.ts";
import { rangeChart } from "./query-table.ts";
import { spanText } from "./table.ts";

const span = { startMs: 0, endMs: 8_000 };
const at = (values: readonly number[]) => values.map((value, i) => ({ atMs: i * 1000, value }));

test("the least value is an eighth of a line, the greatest all lines, with gaps where nothing is", () => {
  const points = at([0, 8, 16, Number.NaN, 4, 12, 15.9, 0]);
  expect(chart(points, span, { width: 8, height: 2 })).toEqual([" ▁█  ▅█", "▁██ ▅██▁"]);
  expect(chart(at([3, 3]), span, { width: 8, height: 2 })).toEqual(["", "██"]);
  expect(chart(at([Number.POSITIVE_INFINITY]), span, { width: 8, height: 2 })).toEqual(["", ""]);
  const widest = chart(at([-Number.MAX_VALUE, Number.MAX_VALUE]), span, { width: 8, height: 2 });
  expect(widest).toEqual([" █", "▁█"]);
});

test("a series alone: its name and last value, the bounds beside the chart, within the room there is", () => {
  const values = Array.from({ length: 80 }, (_, i): [number, string] => [i / 10, String(i * 1000)]);
  const metric = { __name__: "up", job: "node" };
  const lines = rangeChart({ metric, values }, span, 40).map((line) => line.map(spanText).join(""));
  expect(lines[0]).toBe('up{job="node"}  now 79000');
  expect(lines[1]).toMatch(/^79000 │ +[▁▂▃▄▅▆▇]*█$/);
  expect(lines.at(-1)).toMatch(/^ +0 │ [▁▂▃▄▅▆▇█]+$/);
  expect(lines).toHaveLength(9);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
});
