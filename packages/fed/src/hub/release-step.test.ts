import { describe, expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import type { Fate, Life } from "./walk.scene.ts";
import {
  begin,
  cases,
  expectEnd,
  expectWhole,
  key,
  liveOn,
  offset,
  person,
  place,
  stride,
  type WalkCase,
} from "./walk-case.scene.ts";

/**
 * At every step of a release somebody cancels it: the earlier release serves throughout, and it is whole in the end.
 * `FED_PROOF=1` takes each step of each case, otherwise every fourth, from another one each time.
 */
const releaseOf = ({ deployment }: Life) =>
  deployment.releases.wanted.services.find((one) => one.key === key)?.release?.number;

/** Answers false when the rollout was over before the step. */
async function cancelAt(one: WalkCase, step: number): Promise<boolean> {
  const { world, life, lost, look } = await begin(one);
  using _ = world;
  const first = life.crossed.length;
  const before = releaseOf(life);
  let answer: "cancelled" | "too late" | undefined;
  const cancel = () => {
    try {
      life.deployment.releases.cancel(place, person);
      answer = "cancelled";
    } catch (thrown) {
      if (!isFault(thrown) || thrown.code !== "conflict") throw thrown;
      answer = "too late";
    }
  };
  life.decide(({ count }): Fate => {
    if (count === first + step) queueMicrotask(cancel);
    return "goes on";
  });
  one.deed(life, world);
  const told = `${one.name}, cancelled at step ${step} (${life.crossed[first + step - 1]})`;
  expect(await liveOn(world, life, look), told).toBe(true);
  await expectWhole(world, life, told);
  if (answer === "cancelled") {
    expect(life.deployment.releases.rollouts(place, 1), told).toMatchObject([{ state: "cancelled" }]);
    expect(releaseOf(life), told).toBe(before);
  } else expectEnd(one, life, told);
  expect([...lost], told).toEqual([]);
  life.kill();
  return answer === "cancelled";
}

describe("a release that is cancelled at every step", () => {
  for (const one of cases.filter(({ ends }) => ends !== "no rollout"))
    test(one.name, async () => {
      for (let [step, steps] = [1 + offset, 0]; ; step += stride) {
        if (await cancelAt(one, step)) steps++;
        else if (step > 8) return expect(steps).toBeGreaterThan(1);
      }
    }, 600_000);
});
