import fc from "fast-check";
import { expect, test } from "vitest";
import { continued, gridAt, gridLater, joined, newSteps, parted } from "./board.ts";
import { type Line, momentOf, stepsOf } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";

/** What the hub would say: a value that tells its moment, where the series has one. */
const valueAt = (atMs: number) => atMs / 1_000;

function answered(name: string, grid: Grid, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): Line {
  const values = Float64Array.from({ length: stepsOf(grid) }, (_, index) => {
    const atMs = momentOf(grid, index);
    return atMs >= from && atMs <= to ? valueAt(atMs) : Number.NaN;
  });
  return { labels: { name }, values };
}

/** The same at one moment. */
const just = (name: string, atMs: number): Line => ({ labels: { name }, values: Float64Array.of(valueAt(atMs)) });

test("however ticks come, what was continued is what would have been asked for as a whole", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 30 });
  const stepMs = fc.constantFrom(1_000, 5_000, 30_000);
  fc.assert(
    fc.property(gaps, stepMs, fc.nat(600_000), fc.integer({ min: 1_000, max: 120_000 }), (all, step, start, length) => {
      let grid = gridAt(length, step, 1_000_000 + start);
      let lines: readonly Line[] = [answered("a", grid)];
      let atMs = 1_000_000 + start;
      for (const gap of all) {
        atMs += gap;
        const after = gridLater(grid, atMs);
        const added = newSteps(grid, after);
        const now = after.tailMs === undefined ? [] : [just("a", after.tailMs)];
        lines = continued(lines, grid, after, { steps: added ? [answered("a", added)] : [], now });
        grid = after;
        expect(grid.endMs).toBe(Math.max(grid.endMs, Math.floor(atMs / step) * step));
        expect([...(lines[0]?.values ?? [])]).toEqual([...answered("a", grid).values]);
      }
      expect(stepsOf({ ...grid, tailMs: grid.endMs })).toBe(Math.floor(length / step) + 2);
    }),
  );
});

test("a series that is new has nothing before, one that goes has a gap and then leaves", () => {
  const before = gridAt(3_000, 1_000, 10_000);
  const after = gridLater(before, 12_500);
  const added = newSteps(before, after) as Grid;
  expect(added).toEqual({ startMs: 11_000, endMs: 12_000, stepMs: 1_000 });
  const lines = continued([answered("old", before, 0, 9_000), answered("gone", before, 0, 8_000)], before, after, {
    steps: [answered("new", added)],
    now: [just("new", 12_500)],
  });
  expect(lines.map(({ labels, values }) => [labels.name, [...values]])).toEqual([
    ["new", [Number.NaN, Number.NaN, 11, 12, 12.5]],
    ["old", [9, Number.NaN, Number.NaN, Number.NaN, Number.NaN]],
  ]);
});

test("a moment within the step it is in has no new steps, and a tick of the past moves nothing", () => {
  const grid = gridAt(3_000, 1_000, 10_000);
  expect(newSteps(grid, gridLater(grid, 10_400))).toBeUndefined();
  expect(gridLater(grid, 4_000)).toEqual(grid);
});

test("one query asks for all figures, and each gets its own series back", () => {
  const figures = [
    { id: "cpu", steps: "rate(a[1m])", now: "irate(a[1m])" },
    { id: "memory", steps: "b or c", now: "b or c" },
  ];
  expect(joined(figures, "now")).toBe(
    'label_replace(irate(a[1m]), "fed_figure", "cpu", "", "") or label_replace(b or c, "fed_figure", "memory", "", "")',
  );
  const values = Float64Array.of(1);
  const parts = parted([
    { labels: { fed_figure: "cpu", mode: "user" }, values },
    { labels: { fed_figure: "memory" }, values },
    { labels: { fed_figure: "cpu", mode: "system" }, values },
  ]);
  expect([...parts].map(([id, lines]) => [id, lines.map(({ labels }) => labels)])).toEqual([
    ["cpu", [{ mode: "user" }, { mode: "system" }]],
    ["memory", [{}]],
  ]);
});
