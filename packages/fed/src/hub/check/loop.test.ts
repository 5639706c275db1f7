import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import type { Probe } from "#port/probe.ts";
import { type CheckTarget, openChecks } from "./loop.ts";

const target: CheckTarget = {
  contract: { ask: { kind: "tcp" }, everyMs: 1_000, timeoutMs: 100, withinMs: 10_000 },
  address: { host: "127.0.0.1", port: 1 },
  folder: "/",
  environment: {},
};

test("a probe that cannot even ask counts as failed, is told as a failed run, and is made again", async () => {
  const clock = handClock();
  const runs: (string | undefined)[] = [];
  let broken = true;
  const tcp: Probe["tcp"] = async () => {
    if (broken) throw new Error("no descriptors left");
    return { kind: "healthy", tookMs: 1 };
  };
  const checks = openChecks({
    ...{ clock, probe: { tcp } as Partial<Probe> as Probe, onChange() {} },
    beginRun: () => (failure) => void runs.push(failure),
  });
  checks.track("one", target);
  await clock.turn(0);
  expect(checks.stateOf("one")).toEqual({ health: "unknown", failures: 1, reason: "no descriptors left" });
  broken = false;
  await clock.turn(35);
  expect(checks.stateOf("one")).toEqual({ health: "unknown", failures: 0, reason: "", successes: 1 });
  await clock.turn(50);
  expect(checks.stateOf("one").health).toBe("healthy");
  expect(runs).toEqual(["no descriptors left", undefined, undefined]);
  checks.close();
});
