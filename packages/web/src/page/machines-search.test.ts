import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { expect, test } from "vitest";
import { inTrouble, meantBy } from "./machines-search.ts";

const machine: WireMachine = {
  ...{ name: "node5", kind: "server", address: "10.0.0.5", labels: { room: "attic" }, mode: "ssh", origin: "lab" },
  ...{ state: "online", detail: "", sinceMs: 1, services: [], intervalMs: 10_000, problems: [], tally: {} },
};

test.each([
  ["", true],
  ["node", true],
  ["ATTIC 10.0", true],
  ["online server", true],
  ["room:attic", true],
  ["cellar", false],
  ["node5 cellar", false],
])("%j finds it: %s", (sought, found) => {
  expect(meantBy(machine, sought)).toBe(found);
});

test("what its chips say is found, and what they warn of is trouble", () => {
  const full = { ...machine, tally: { storage: { troubled: 1, total: 1 } } };
  expect([meantBy(full, "disk trouble"), inTrouble(full), inTrouble(machine)]).toEqual([true, true, false]);
  expect(inTrouble({ ...machine, state: "offline" })).toBe(true);
  expect(inTrouble({ ...machine, tally: { updates: { pending: 9, security: 0, restart: false } } })).toBe(false);
});
