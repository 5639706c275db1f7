import fc from "fast-check";
import { expect, test } from "vitest";
import { mostSkewMs, oldestMs, placeTick, type Skew, skewAfter, skewAtFirst, wordsOfSkew } from "./agent.ts";

const nowMs = 1_700_000_000_000;
const tick = (machineMs: number) => ({ sequence: 1, machineMs, sections: [] });

test("a clock that is a little off is believed", () => {
  fc.assert(
    fc.property(fc.integer({ min: -mostSkewMs + 1, max: mostSkewMs - 1 }), (ms) => {
      const skew = skewAtFirst(nowMs, nowMs - ms);
      expect(wordsOfSkew(skew)).toBeUndefined();
      expect(placeTick(tick(nowMs - ms), skew, nowMs)).toEqual(tick(nowMs - ms));
    }),
  );
});

test("what is told by a clock that is wrong is put where the hub's says", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -4e12, max: 4e12 }).filter((ms) => Math.abs(ms) >= mostSkewMs),
      fc.integer({ min: 0, max: oldestMs }),
      (ms, ageMs) => {
        const skew = skewAtFirst(nowMs, nowMs - ms);
        expect(placeTick(tick(nowMs - ms - ageMs), skew, nowMs)?.machineMs).toBe(nowMs - ageMs);
        expect(wordsOfSkew(skew)).toContain(ms > 0 ? "behind" : "ahead of");
      },
    ),
  );
});

test("what was taken before a clock was set right has no place", () => {
  const skew = skewAtFirst(nowMs, nowMs);
  expect(placeTick(tick(0), skew, nowMs)).toBeUndefined();
  expect(placeTick(tick(nowMs - oldestMs - 1), skew, nowMs)).toBeUndefined();
  expect(placeTick(tick(nowMs + mostSkewMs + 1), skew, nowMs)).toBeUndefined();
});

test("a tick that is held up on its way makes no clock wrong, a clock that is set does", () => {
  let skew: Skew = skewAtFirst(nowMs, nowMs);
  for (let n = 0; n < 20; n++) skew = skewAfter(skew, nowMs, nowMs - (n % 3 === 0 ? 90_000 : 200));
  expect(wordsOfSkew(skew)).toBeUndefined();
  for (let n = 0; n < 6; n++) skew = skewAfter(skew, nowMs, nowMs - 3_600_000);
  expect(wordsOfSkew(skew)).toMatch(/^its clock is 60 min behind/);
  for (let n = 0; n < 6; n++) skew = skewAfter(skew, nowMs, nowMs + 200_000_000);
  expect(wordsOfSkew(skew)).toMatch(/^its clock is 2 d ahead of the hub's/);
});
