import { expect, test } from "vitest";
import { chipsOf, lookOfContainer, lookOfUnit, worstFirst } from "./machine-trouble.ts";

const calm = { tally: {}, problems: [] };

test("a machine without trouble has no chips, and what is not known is none", () => {
  expect(chipsOf(calm)).toEqual([]);
  const tally = {
    updates: { pending: 0, security: 0, restart: false },
    units: { failed: 0, total: 90 },
    containers: { troubled: 0, running: 4, total: 9 },
    storage: { troubled: 0, total: 2 },
  };
  expect(chipsOf({ ...calm, tally })).toEqual([]);
});

test("everything at once: the worst first, security updates apart from the others", () => {
  const key = { type: "ssh-ed25519", fingerprint: "SHA256:a" };
  const chips = chipsOf({
    tally: {
      updates: { pending: 12, security: 3, restart: true },
      units: { failed: 1, total: 90 },
      containers: { troubled: 2, running: 4, total: 9 },
      storage: { troubled: 1, total: 2 },
    },
    problems: [{ collector: "gpu", reason: "no", sinceMs: 1 }],
    maintenance: { sinceMs: 1, reason: "" },
    hostKey: { known: [key], offered: key, sinceMs: 1 },
  });
  expect(chips.map(({ word, tone }) => `${tone}: ${word}`)).toEqual([
    ...["bad: host key changed", "bad: 1 disk in trouble", "bad: 1 unit failed", "bad: 2 containers in trouble"],
    ...["warn: 1 problem", "warn: 3 security updates", "warn: restart needed", "info: maintenance"],
    "idle: 9 other updates",
  ]);
});

test.each([
  [{ active: "active", sub: "running" }, "running", "good"],
  [{ active: "failed", sub: "failed" }, "failed", "bad"],
  [{ active: "inactive", sub: "dead" }, "inactive", "idle"],
  [{ active: "activating", sub: "auto-restart" }, "auto-restart", "info"],
  [{ active: "active", sub: "" }, "active", "good"],
])("a unit that is %j is %s", (unit, word, tone) => {
  expect(lookOfUnit(unit)).toEqual({ word, tone });
});

test.each([
  [{ state: "running" }, "running", "good"],
  [{ state: "running", health: "healthy" }, "healthy", "good"],
  [{ state: "running", health: "unhealthy" }, "unhealthy", "bad"],
  [{ state: "running", health: "starting" }, "starting", "info"],
  [{ state: "exited", exitCode: 0 }, "ended", "idle"],
  [{ state: "exited", exitCode: 143 }, "ended", "idle"],
  [{ state: "exited", exitCode: 137 }, "ended with 137", "bad"],
  [{ state: "restarting" }, "restarting", "bad"],
  [{ state: "paused" }, "paused", "info"],
] as const)("a container that is %j is %s", (container, word, tone) => {
  expect(lookOfContainer(container)).toEqual({ word, tone });
});

test("the worst comes first, then the name counts", () => {
  const units = ["b", "a", "c"].map((name) => ({ name, active: name === "c" ? "failed" : "active", sub: "" }));
  expect(worstFirst(units, lookOfUnit).map(({ name }) => name)).toEqual(["c", "a", "b"]);
});
