import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { deedRules, makeDeedBudget } from "./deed-budget.ts";
import { faultOf } from "./user.scene.ts";

const tooOften = "limited: you do this too often";

test.each([
  ["viewer", deedRules.others],
  ["operator", deedRules.others],
  ["admin", deedRules.admin],
  ["local", deedRules.admin],
] as const)("%s may do so many at once, then so many a minute", async (access, { atOnce, aMinute }) => {
  const clock = handClock();
  const budget = makeDeedBudget(clock);
  const doSome = async (count: number) => {
    for (let n = 0; n < count; n++) expect(await faultOf(() => budget.spend("ada", access))).toBe("no fault");
    expect(await faultOf(() => budget.spend("ada", access))).toBe(tooOften);
  };
  await doSome(atOnce);
  await clock.turn(60_000);
  await doSome(aMinute);
  // However long somebody waits, it is no more than at first.
  await clock.turn(1e9);
  await doSome(atOnce);
});

test("one who does too much stops nobody else, is told how long to wait, and pays nothing for asking again", async () => {
  const clock = handClock();
  const budget = makeDeedBudget(clock);
  for (let n = 0; n < deedRules.others.atOnce; n++) budget.spend("ada", "viewer");
  for (let n = 0; n < 100; n++)
    expect(() => budget.spend("ada", "viewer")).toThrow(
      expect.objectContaining({ code: "limited", details: { retryAfterSeconds: 6 } }),
    );
  budget.spend("grace", "viewer");
  clock.nowMs = () => 0;
  await clock.turn(6_000);
  budget.spend("ada", "viewer");
});
