import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeNudge } from "./nudge.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make() {
  const runs: string[] = [];
  return { runs, nudge: makeNudge<string>((asked) => runs.push([...asked].join("+")), 200) };
}

test("the first is served at once", () => {
  const { runs, nudge } = make();
  nudge(["status"]);
  expect(runs).toEqual(["status"]);
});

test("what comes in a burst is served together, and the last of it too", () => {
  const { runs, nudge } = make();
  for (let i = 0; i < 1_000; i++) nudge(i % 2 === 0 ? ["status"] : ["machines", "status"]);
  expect(runs).toEqual(["status"]);
  vi.advanceTimersByTime(199);
  expect(runs).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(runs).toEqual(["status", "machines+status"]);
  vi.advanceTimersByTime(10_000);
  expect(runs).toHaveLength(2);
});

test("after a quiet time it is at once again", () => {
  const { runs, nudge } = make();
  nudge(["a"]);
  vi.advanceTimersByTime(200);
  nudge(["b"]);
  expect(runs).toEqual(["a", "b"]);
});

test("nothing asked for is nothing done", () => {
  const { runs, nudge } = make();
  nudge([]);
  vi.runAllTimers();
  expect(runs).toEqual([]);
});
