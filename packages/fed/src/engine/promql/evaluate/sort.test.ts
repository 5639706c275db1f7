import fc from "fast-check";
import { expect, it } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { type Budget, defaultLimits, openBudget } from "./budget.ts";
import { sortInTurns } from "./sort.ts";

it("sorts as the language does, equal ones in their order", async () => {
  const budget = openBudget(defaultLimits, handClock(), new AbortController().signal);
  const lists = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 900, maxLength: 5200, size: "max" });
  await fc.assert(
    fc.asyncProperty(lists, async (numbers) => {
      const items = numbers.map((key, index) => ({ key, index }));
      const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
      expect(await sortInTurns(items, compare, budget)).toEqual(items.toSorted(compare));
    }),
    { numRuns: 20 },
  );
});

it("rests whenever it is due", async () => {
  let rests = 0;
  const always: Budget = {
    ...openBudget(defaultLimits, handClock(), new AbortController().signal),
    due: true,
    rest: async () => void rests++,
  };
  await sortInTurns(
    Array.from({ length: 10_000 }, (_, i) => -i),
    (a, b) => a - b,
    always,
  );
  expect(rests).toBeGreaterThan(40);
});
