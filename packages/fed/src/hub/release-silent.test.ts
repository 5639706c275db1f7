import { describe, expect, test } from "vitest";
import { type Fate, goesOn } from "./walk.scene.ts";
import { begin, cases, expectWhole, liveOn, offset, place, stride, type WalkCase } from "./walk-case.scene.ts";

/**
 * At every step of a release a call is not answered: each has its time, so that all ends one way or the other, and what has failed says why.
 * `FED_PROOF=1` takes each step of each case, otherwise every fourth, from another one each time.
 */
/** Answers false when all was over before the step. */
async function silentAt(one: WalkCase, step: number): Promise<boolean> {
  const { world, life, lost, look } = await begin(one);
  using _ = world;
  const first = life.crossed.length;
  life.decide(({ count, what }): Fate => {
    return count === first + step && what !== "a transaction" ? "is never answered" : "goes on";
  });
  one.deed(life, world);
  let settled = await liveOn(world, life, look);
  // A machine that did not answer is asked again after a while.
  await world.clock.turn(60_000);
  settled &&= await liveOn(world, life, look);
  const told = `${one.name}, no answer at step ${step} (${life.crossed[first + step - 1]})`;
  const reached = life.crossed.length >= first + step;
  life.decide(goesOn);
  // It ended, one way or the other, and says why when it failed.
  expect(settled, told).toBe(true);
  const [last] = life.deployment.releases.rollouts(place, 1);
  if (last?.state === "failed") expect(last.reason, told).not.toBe("");
  expect([...lost], told).toEqual([]);
  await expectWhole(world, life, told);
  life.kill();
  return reached;
}

describe("a release during which a call is never answered", () => {
  for (const one of cases)
    test(one.name, async () => {
      for (let step = 1 + offset; await silentAt(one, step); step += stride);
    }, 600_000);
});
