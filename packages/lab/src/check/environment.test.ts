import { describe, expect, it } from "vitest";
import { checkLab } from "../lab.ts";
import { plainLab, program, wrongWith } from "../test-lab.ts";

const promoting = (from: Readonly<Record<string, string | undefined>>) =>
  plainLab(
    {},
    {
      environments: Object.fromEntries(
        Object.entries(from).map(([name, promoteFrom]) => [name, { machines: ["hub"], promoteFrom }]),
      ),
      secrets: {},
    },
  );

describe("promotion", () => {
  it("reports an environment that promotes from itself", () => {
    expect(checkLab(promoting({ dev: "dev" }))).toMatchObject([
      { code: "promotion-cycle", path: "environments.dev.promoteFrom", message: "dev promotes from itself." },
    ]);
  });

  it("reports a circle once", () => {
    expect(checkLab(promoting({ a: "c", b: "a", c: "b" }))).toMatchObject([
      { code: "promotion-cycle", message: "Environments promote in a circle: a from c from b from a." },
    ]);
  });

  it("is content with a chain and a fork", () => {
    expect(checkLab(promoting({ dev: undefined, staging: "dev", prod: "staging", demo: "staging" }))).toEqual([]);
  });
});

describe("placement", () => {
  it("reports a machine that the environment does not have", () => {
    expect(wrongWith({ a: { ...program, on: "node5" } })).toEqual(["machine-outside-environment services.a.on"]);
    expect(wrongWith({ a: { ...program, on: { prod: "hub" } } })).toEqual([
      "machine-outside-environment services.a.on.prod",
    ]);
  });

  it("is content with its own machines", () => {
    expect(
      wrongWith({ a: { ...program, on: { prod: "node6" } }, b: { ...program, on: "node6", in: ["prod"] } }),
    ).toEqual([]);
  });
});

describe("machines", () => {
  const server = (address: string, port?: number) => ({ kind: "server", address, port });
  const lab = (machines: object) => ({ name: "x", machines, environments: { dev: { machines: ["a"] } }, services: {} });

  it("warns of one machine with two names, which is no error", () => {
    expect(checkLab(lab({ a: server("10.0.0.1"), b: server("10.0.0.1") }))).toMatchObject([
      { code: "same-machine", severity: "warning", path: "machines.b" },
    ]);
  });

  it("is content with other addresses, and with other ports of SSH", () => {
    expect(checkLab(lab({ a: server("10.0.0.1"), b: server("10.0.0.2") }))).toEqual([]);
    expect(checkLab(lab({ a: server("home.example.org", 2201), b: server("home.example.org", 2202) }))).toEqual([]);
  });
});
