import { expect, test } from "vitest";
import { fleetApi } from "./fleet.ts";

const fits = (more: object) =>
  fleetApi.addMachine.input.safeParse({ name: "node5", kind: "server", address: "192.168.1.5", ...more }).success;

test.each(["node5", "node5.lan", "192.168.1.5", "fd00::1", "fe80::1%eth0", "local.lan"])(
  "%s is an address",
  (address) => {
    expect(fits({ address })).toBe(true);
  },
);

test.each([
  "",
  "local",
  "-oProxyCommand=x",
  "a b",
  "a;reboot",
  "a\nb",
  "a\u001b[2J",
  "<b>",
  "ada@node5",
  "node5:22",
  "ssh://a",
])("%j is none", (address) => {
  expect(fits({ address })).toBe(false);
});

test.each([
  ["ada", true],
  ["svc$", true],
  ["-l", false],
  ["a;b", false],
  ["$(id)", false],
] as const)("a machine is logged in to as %j: %j", (user, is) => {
  expect(fits({ user })).toBe(is);
});
