import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  autoStepMs,
  between,
  gridOf,
  lengthOf,
  type Span,
  shift,
  spans,
  stepFor,
  untilNextMs,
  zoom,
} from "./metrics-range.ts";

const minute = 60_000;
const nowMs = Date.UTC(2026, 10, 21, 11, 30, 7);

describe("steps", () => {
  test("stand a few pixels apart, on round times, and never closer than metrics come", () => {
    expect(autoStepMs(60 * minute, 1_000)).toBe(15_000);
    expect(autoStepMs(5 * minute, 1_000)).toBe(5_000);
    expect(autoStepMs(365 * 1_440 * minute, 1_000)).toBe(2 * 1_440 * minute);
    expect(autoStepMs(60 * minute, 300)).toBe(minute);
  });

  test("a chosen step is kept unless the hub would refuse so many", () => {
    expect(stepFor({ kind: "last", ms: 60 * minute }, 1_000, 1_000)).toBe(1_000);
    const year = { kind: "last", ms: 365 * 1_440 * minute } as const;
    expect(year.ms / stepFor(year, 1_000, 1_000)).toBeLessThan(11_000);
  });

  test.each(spans.map(({ word, ms }) => [word, ms] as const))(
    "the last %s has a point for every few pixels",
    (_, ms) => {
      const stepMs = stepFor({ kind: "last", ms }, undefined, 1_200);
      expect(ms / stepMs).toBeLessThanOrEqual(300);
      expect(ms / stepMs).toBeGreaterThanOrEqual(60);
    },
  );
});

test("a grid ends a moment ago and stays the same for a while, so that nothing is asked twice", () => {
  const span: Span = { kind: "last", ms: 5 * minute };
  const grid = gridOf(span, 15_000, nowMs);
  expect(grid).toEqual({ startMs: nowMs - 307_000, endMs: nowMs - 7_000, stepMs: 15_000 });
  expect(gridOf(span, 15_000, nowMs + 7_000)).toEqual(grid);
  expect(gridOf(span, 15_000, nowMs + 8_000).endMs).toBe(grid.endMs + 15_000);
  // What came within a long step is seen before it ends.
  const year = gridOf({ kind: "last", ms: 365 * 1_440 * minute }, 1_440 * minute, nowMs);
  expect(nowMs - year.endMs).toBeLessThan(15_000);
  expect((year.endMs - year.startMs) / year.stepMs).toBe(365);
});

test("earlier goes half a length back, later comes up to now again", () => {
  const earlier = shift({ kind: "last", ms: 60 * minute }, -1, nowMs);
  expect(earlier).toEqual({ kind: "between", startMs: nowMs - 90 * minute, endMs: nowMs - 30 * minute });
  expect(shift(earlier, 1, nowMs)).toEqual({ kind: "last", ms: 60 * minute });
  expect(shift({ kind: "last", ms: minute }, 1, nowMs)).toEqual({ kind: "last", ms: minute });
});

test("closer and wider keep the middle, and stay within what can be looked at", () => {
  const span = between(nowMs - 10 * minute, nowMs - 6 * minute);
  expect(zoom(span, 0.5, nowMs)).toEqual(between(nowMs - 9 * minute, nowMs - 7 * minute));
  expect(zoom(zoom(span, 2, nowMs), 2, nowMs)).toEqual({ kind: "last", ms: 16 * minute });
  expect(lengthOf(zoom({ kind: "last", ms: 15_000 }, 0.5, nowMs))).toBe(10_000);
});

test("whatever is dragged becomes a range of whole seconds, in order, neither empty nor endless", () => {
  const moment = fc.double({ min: 0, max: 4e12, noNaN: true });
  fc.assert(
    fc.property(moment, moment, (one, other) => {
      const span = between(one, other);
      if (span.kind !== "between") throw new Error("it has no ends");
      expect(span.startMs % 1_000).toBe(0);
      expect(lengthOf(span)).toBeGreaterThanOrEqual(10_000);
      expect(lengthOf(span)).toBeLessThanOrEqual(400 * 86_400_000);
    }),
  );
});

test("what is live is asked again a little behind each step, and waits no longer than a timer of a browser can", () => {
  expect(untilNextMs(nowMs, 15_000)).toBe(8_200);
  expect(untilNextMs(nowMs, 1_000)).toBe(1_100);
  for (const days of [30, 60, 400]) expect(untilNextMs(nowMs, days * 1_440 * minute)).toBeLessThan(2 ** 31);
});
