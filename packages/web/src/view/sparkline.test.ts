import { expect, test } from "vitest";
import { sparkArea, sparkPath } from "./sparkline.tsx";

const path = (values: readonly number[], top?: number) => sparkPath(Float64Array.from(values), top);

test("from zero up, over the whole width", () => {
  expect(path([0, 1], 1)).toBe("M0 28h0L100 2");
  expect(path([0, 5, 10])).toBe("M0 28h0L50 15L100 2");
});

test("a gap breaks the line, and a value alone is a dot", () => {
  expect(path([1, Number.NaN, 1, 1, Number.NaN], 1)).toBe("M0 2h0M50 2h0L75 2");
  expect(sparkArea(path([1, Number.NaN, 1, 1, Number.NaN], 1))).toBe("M0 2h0L0 28L0 28ZM50 2h0L75 2L75 28L50 28Z");
});

test("nothing draws nothing; what is above the top or below zero stays inside", () => {
  expect(path([Number.NaN])).toBe("");
  expect(path([3, -1], 1)).toBe("M0 2h0L100 28");
  expect(path([0, 0])).toBe("M0 28h0L100 28");
});
