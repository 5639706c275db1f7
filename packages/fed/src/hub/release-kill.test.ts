import { describe, expect, test } from "vitest";
import { goesOn, type Life, live, makeWalkWorld, openLife, reference, type WalkWorld } from "./walk.scene.ts";
import { cases, expectEnd, expectWhole, keepBusy, lostNow, type WalkCase } from "./walk-case.scene.ts";

/**
 * The hub is killed at every step of a release, before the world has heard of the step or after it was done: the next one finishes
 * or undoes what was begun, and nothing is left over. `FED_PROOF=1` takes each step of each case, with both kinds of ingress; without
 * it some cases are walked at every fourth step, from another one each time.
 */
const proof = process.env.FED_PROOF === "1";
const stride = 4;
const offset = Math.floor(Math.random() * stride);

type Moment = "dies before" | "dies after";

interface Walk {
  readonly one: WalkCase;
  readonly gate: WalkWorld["gate"];
  /** At each so-manieth step. */
  readonly stride: number;
  readonly moments: readonly Moment[];
}

const limitMs = 120_000;

/** One hub that is killed, and one after it. Answers false when all was over before the step. */
async function killAt({ one, gate }: Walk, step: number, moment: Moment): Promise<boolean> {
  using world = makeWalkWorld({ gate });
  world.registry.publish(reference);
  await world.addForeign();
  const first = openLife(world, one.before);
  expect(await live(world, first, limitMs)).toBe(true);
  if (gate === "of the machine") keepBusy(world, first);
  const lost = new Set<string>();
  let life = first;
  const look = async () => {
    const why = await lostNow(world, life);
    if (why !== undefined && !one.gap) lost.add(why);
  };
  const begin = first.crossed.length;
  first.decide(({ count }) => (count === begin + step ? moment : "goes on"));
  one.deed(first, world);
  const settled = await liveOn(world, first, look);
  const told = `${one.name}, ingress ${gate}, ${moment} step ${step} (${first.crossed[begin + step - 1]})`;
  expect(settled, told).toBe(true);
  first.decide(goesOn);
  const died = first.dead;
  if (died) {
    life = openLife(world, one.after);
    expect(await liveOn(world, life, look), told).toBe(true);
  }
  await expectWhole(world, life, told);
  expectEnd(one, life, told);
  expect([...lost], told).toEqual([]);
  life.kill();
  return died;
}

/** Until what is kept no more was cleared away, too. */
async function liveOn(world: WalkWorld, life: Life, look: () => Promise<void>): Promise<boolean> {
  const settled = await live(world, life, limitMs, look);
  for (let turn = 0; turn < 5; turn++) await live(world, life, limitMs, look);
  return settled;
}

async function walk(all: Walk): Promise<number> {
  let walked = 0;
  for (const moment of all.moments)
    for (let step = 1 + (offset % all.stride); await killAt(all, step, moment); step += all.stride) walked++;
  return walked;
}

const whole: readonly Walk[] = cases.flatMap((one) =>
  (["of the hub", "of the machine"] as const).map(
    (gate): Walk => ({ one, gate, stride: 1, moments: ["dies before", "dies after"] }),
  ),
);

/** What dies after a step has done what one does that dies before the next, but for steps that take their time. */
const short: readonly Walk[] = cases.map((one) => {
  const gate = one.name.includes("process") ? "of the hub" : "of the machine";
  return { one, gate, stride: one.name.startsWith("an edit") ? 1 : stride, moments: ["dies before"] };
});

describe("a hub that is killed at every step", () => {
  for (const all of proof ? whole : short)
    test(`of ${all.one.name}, with the ingress ${all.gate}`, async () => {
      const walked = await walk(all);
      expect(walked).toBeGreaterThan(12 / all.stride);
      if (proof) process.stdout.write(`${all.one.name}, ${all.gate}: ${walked} steps\n`);
    }, 600_000);
});
