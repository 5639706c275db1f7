import { expect, test } from "vitest";
import { sleep } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import type { GraphEvent } from "#engine/graph/run.ts";
import { type ApplyOptions, applyPlan } from "./apply.ts";
import { diff } from "./diff.ts";
import type { Desired, Plan, Step } from "./plan.ts";
import { type FakeWorld, makeWorld } from "./world.fake.ts";

const hash = (text: string) => `hash of ${text}`;
const blog = { key: "prod/blog", spec: "a1", fields: {}, replicas: 1, needs: [] };
const desired: Desired = { hash: "wish", services: [blog], earlier: {} };
const planFor = (world: FakeWorld): Plan => diff(desired, world.observe(), { hash, nowMs: 0 });

function optionsFor(world: FakeWorld, clock: HandClock, events: GraphEvent<Step>[] = []): ApplyOptions {
  return {
    clock,
    hash,
    concurrency: 4,
    deadlineMs: 1_000,
    observe: async () => world.observe(),
    execute: async (action, signal) => {
      await sleep(clock, 10, signal);
      world.execute(action);
    },
    onEvent: (event) => events.push(event),
  };
}

test("carries out the plan; then nothing is left to do", async () => {
  const world = makeWorld([], () => false);
  const clock = handClock();
  const events: GraphEvent<Step>[] = [];
  const applied = applyPlan(planFor(world), optionsFor(world, clock, events));
  await clock.turn(1_000);
  expect((await applied).kind).toBe("done");
  expect(world.serves("prod/blog")).toBe(true);
  expect(planFor(world).steps).toEqual([]);
  expect(events.map(({ kind, step }) => `${kind} ${step.id}`)).toEqual([
    "started prod/blog start 0 a1",
    "succeeded prod/blog start 0 a1",
    "started prod/blog check a1",
    "succeeded prod/blog check a1",
    "started prod/blog switch a1",
    "succeeded prod/blog switch a1",
  ]);
});

test("refuses when the world has moved, and does nothing", async () => {
  const world = makeWorld([], () => false);
  const plan = planFor(world);
  world.execute({ kind: "start", service: "prod/blog", spec: "a1", replica: 0 });
  const outcome = await applyPlan(plan, {
    ...optionsFor(world, handClock()),
    execute: () => Promise.reject(new Error("not to be called")),
  });
  expect(outcome).toEqual({
    kind: "moved",
    planned: "hash of ",
    found: 'hash of ["n0000","prod/blog","a1",0,"running",false]',
  });
});

test("a step that fails leaves undone what waits for it, and is told", async () => {
  const world = makeWorld([], () => true);
  const clock = handClock();
  const applied = applyPlan(planFor(world), optionsFor(world, clock));
  await clock.turn(1_000);
  const outcome = await applied;
  if (outcome.kind === "moved") throw new Error("it did not move");
  expect(outcome.kind).toBe("failed");
  expect(outcome.steps.get("prod/blog check a1")).toMatchObject({ kind: "failed", fault: { code: "timeout" } });
  expect(outcome.steps.get("prod/blog switch a1")).toEqual({ kind: "skipped", because: "prod/blog check a1" });
});

test("an abort cancels what is left", async () => {
  const world = makeWorld([], () => false);
  const clock = handClock();
  const stop = new AbortController();
  const applied = applyPlan(planFor(world), { ...optionsFor(world, clock), signal: stop.signal });
  await clock.turn(15);
  stop.abort();
  const outcome = await applied;
  if (outcome.kind === "moved") throw new Error("it did not move");
  expect(outcome.kind).toBe("cancelled");
  expect([...outcome.steps.values()].map(({ kind }) => kind)).toEqual(["succeeded", "cancelled", "cancelled"]);
});

test("what looking throws is thrown", async () => {
  const world = makeWorld([], () => false);
  const observe = () => Promise.reject(new Fault("unreachable", "the runtime is away"));
  const applied = applyPlan(planFor(world), { ...optionsFor(world, handClock()), observe });
  await expect(applied).rejects.toMatchObject({ code: "unreachable" });
});
