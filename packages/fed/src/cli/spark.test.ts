import { expect, test } from "vitest";
import { sparkline } from "./spark.ts";

const points = (...values: readonly number[]) => values.map((value, atMs) => ({ atMs, value }));

test("rises from the lowest bar to the highest", () => {
  expect(sparkline(points(0, 1, 2, 3, 4, 5, 6, 7), 0, 7, 8)).toBe("▁▂▃▄▅▆▇█");
});

test("has blanks where nothing finite is", () => {
  const some = points(1, Number.NaN, 3, Number.POSITIVE_INFINITY, 1);
  expect(sparkline(some, 0, 5, 5)).toBe("▁ █ ▁");
  expect(sparkline([], 0, 5, 3)).toBe("   ");
});

test("draws the mean of what falls into one part", () => {
  const some = points(0, Number.NaN, 2, 6, Number.NaN, 8);
  expect(sparkline(some, 0, 6, 3)).toBe("▁▅█");
});

test("stands in the middle when nothing changes, and holds no span and the greatest numbers", () => {
  expect(sparkline(points(5, 5), 0, 1, 2)).toBe("▄▄");
  expect(sparkline([{ atMs: 9, value: 1 }], 9, 9, 3)).toBe("▄  ");
  expect(sparkline(points(-Number.MAX_VALUE, Number.MAX_VALUE), 0, 1, 2)).toBe("▁█");
});
