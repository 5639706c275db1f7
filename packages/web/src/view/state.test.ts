import { machineStates } from "@fed/fed/wire/machine.ts";
import { serviceStatusShape } from "@fed/fed/wire/status.ts";
import { tokenShape, userShape } from "@fed/fed/wire/user.ts";
import { describe, expect, test } from "vitest";
import {
  lookOfInstance,
  lookOfLoop,
  lookOfMachine,
  lookOfService,
  lookOfToken,
  lookOfUser,
  nextStepOf,
} from "./state.ts";
import { tones, worstTone } from "./tone.ts";

const serviceStates = serviceStatusShape.shape.state.options;

describe("every state of the wire has a word and a tone", () => {
  const looks = [
    ...serviceStates.map((state) => [`service ${state}`, lookOfService(state)] as const),
    ...machineStates.map((state) => [`machine ${state}`, lookOfMachine(state)] as const),
    ...userShape.shape.state.options.map((state) => [`user ${state}`, lookOfUser(state)] as const),
    ...tokenShape.shape.state.options.map((state) => [`token ${state}`, lookOfToken(state)] as const),
  ];
  test.each(looks)("%s", (_, look) => {
    expect(look.word).not.toBe("");
    expect(tones).toContain(look.tone);
  });
});

test("only what is healthy looks good", () => {
  expect(serviceStates.filter((state) => lookOfService(state).tone === "good")).toEqual(["healthy"]);
});

test("what does not mend itself says what to do next", () => {
  for (const state of ["gave up", "unsupported"] as const) expect(nextStepOf({ state })).toMatch(/lab file/);
  expect(nextStepOf({ state: "healthy" })).toBeUndefined();
});

test("a workstation that is away is no alarm, a server that is offline is one", () => {
  expect(lookOfMachine("away").tone).toBe("idle");
  expect(lookOfMachine("offline").tone).toBe("bad");
});

test.each([
  [{ state: "exited", health: "healthy", routed: false }, "ended"],
  [{ state: "running", health: "unhealthy", routed: true }, "unhealthy"],
  [{ state: "running", health: "unknown", routed: false }, "not checked yet"],
  [{ state: "running", health: "healthy", routed: false }, "healthy, gets no requests"],
  [{ state: "running", health: "healthy", routed: true }, "healthy"],
] as const)("an instance %o is %s", (instance, word) => {
  expect(lookOfInstance(instance).word).toBe(word);
});

test("a loop is as its last run went", () => {
  const last = { startedMs: 0, tookMs: 1, reason: "" };
  expect(lookOfLoop({ state: "waiting" }).word).toBe("not run yet");
  expect(lookOfLoop({ state: "waiting", last: { ...last, outcome: "ok" } }).tone).toBe("good");
  expect(lookOfLoop({ state: "waiting", last: { ...last, outcome: "failed" } }).tone).toBe("bad");
  expect(lookOfLoop({ state: "waiting", last: { ...last, outcome: "timedOut" } }).tone).toBe("warn");
  expect(lookOfLoop({ state: "running", last: { ...last, outcome: "failed" } }).word).toBe("running");
  expect(lookOfLoop({ state: "stopped" }).tone).toBe("idle");
});

test("a summary is as bad as its worst part", () => {
  expect(worstTone(["good", "bad", "warn"])).toBe("bad");
  expect(worstTone(["good", "info"])).toBe("info");
  expect(worstTone([])).toBe("idle");
});
