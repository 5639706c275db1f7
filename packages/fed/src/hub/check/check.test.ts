import { expect, test } from "vitest";
import type { ProbeOutcome } from "#port/probe.ts";
import { type CheckState, delayMs, probed, unknownState } from "./check.ts";

const good: ProbeOutcome = { kind: "healthy", tookMs: 1 };
const bad: ProbeOutcome = { kind: "unhealthy", reason: "status 503" };
const after = (outcomes: readonly ProbeOutcome[], from: CheckState = unknownState) =>
  outcomes.reduce((state, outcome) => probed(state, outcome, "http"), from);

test("something new is healthy after two good probes in a row, and what it was not before does not count", () => {
  expect(after([good]).health).toBe("unknown");
  expect(after([good, bad, good]).health).toBe("unknown");
  expect(after([bad, good, good])).toEqual({ health: "healthy", failures: 0, reason: "" });
  expect(probed(unknownState, good, "running").health).toBe("healthy");
});

test("what was healthy is unhealthy after three bad ones in a row, and healthy again after a good one", () => {
  const well = after([good, good]);
  expect(after([bad, bad, good, bad, bad], well)).toMatchObject({ health: "healthy", failures: 2 });
  const ill = after([bad, bad, bad], well);
  expect(ill).toEqual({ health: "unhealthy", failures: 3, reason: "status 503" });
  expect(after([good], ill).health).toBe("healthy");
});

test("is eager while it starts, whatever the contract's pace", () => {
  const contract = { ask: { kind: "tcp" }, everyMs: 10_000, timeoutMs: 1, withinMs: 1 } as const;
  expect([unknownState, after([good]), after([bad]), after([good, good])].map((one) => delayMs(one, contract))).toEqual(
    [25, 50, 35, 10_000],
  );
});
