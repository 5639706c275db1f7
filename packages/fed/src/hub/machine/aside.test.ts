import { expect, test } from "vitest";
import { makeFleetScene } from "./fleet.scene.ts";
import { origin, server } from "./machine.scene.ts";

const minuteMs = 60_000;

test("a slow section that fails is asked again soon, later each time, and at its pace once it can be told", async () => {
  const { machines, stubOf, pass } = makeFleetScene();
  const stub = stubOf("node5");
  const answer = stub.say;
  let fails = true;
  stub.say = (sections) =>
    fails && sections.includes("disks") ? { disks: { fails: "another program holds the lock" } } : answer(sections);
  const times = () => stub.asked.filter((sections) => sections.includes("disks")).length;
  machines.update({ machines: { node5: server() } }, origin);

  await pass(minuteMs / 2);
  expect(times()).toBe(1);
  expect(machines.get("node5")).toMatchObject({ state: "degraded", problems: [{ collector: "disks" }] });
  await pass(minuteMs);
  expect(times()).toBe(2);
  await pass(minuteMs);
  expect(times()).toBe(2);
  fails = false;
  await pass(minuteMs + 20_000);
  expect(times()).toBe(3);
  expect(machines.get("node5")).toMatchObject({ state: "online", problems: [] });
  await pass(9 * minuteMs);
  expect(times()).toBe(3);
  await pass(minuteMs + 20_000);
  expect(times()).toBe(4);
});
