import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import { budgetTrace } from "./budget.ts";

test("so much is told a minute, the rest is counted", async () => {
  const clock = handClock();
  const entries: TraceEntry[] = [];
  const all = makeTrace(clock.nowMs, "debug", (entry) => entries.push(entry));
  const trace = budgetTrace(all, clock, 2);
  const take = () => entries.splice(0).map(({ level, message, facts }) => [level, message, facts]);
  for (let i = 0; i < 3; i++) trace.error("failed", { i });
  for (let i = 0; i < 1_000; i++) trace.warn("odd");
  expect(take()).toEqual([
    ["error", "failed", { i: 0 }],
    ["error", "failed", { i: 1 }],
    ["warn", expect.stringContaining("only counted"), { told: 2 }],
  ]);
  trace.info("told all the same");
  trace.debug("this too");
  expect(take()).toHaveLength(2);
  await clock.turn(59_999);
  trace.error("failed");
  expect(take()).toEqual([]);
  await clock.turn(1);
  trace.error("failed again");
  expect(take()).toEqual([
    ["warn", "more failed than was told", { count: 1_002 }],
    ["error", "failed again", {}],
  ]);
});
