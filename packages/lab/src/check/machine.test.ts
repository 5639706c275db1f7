import { describe, expect, it } from "vitest";
import { checkLab } from "../lab.ts";
import { plainLab, wrongWith } from "../test-lab.ts";

const machines = (jumps: Readonly<Record<string, string | undefined>>) => ({
  machines: {
    hub: { kind: "server", address: "local", jump: jumps.hub },
    node5: { kind: "server", address: "10.0.0.5", jump: jumps.node5 },
    node6: { kind: "server", address: "10.0.0.6", jump: jumps.node6 },
    mbp: { kind: "workstation", tailscale: "mbp", jump: jumps.mbp },
  },
});

describe("the way to a machine", () => {
  it("may lead through others", () => {
    expect(wrongWith({}, machines({ node6: "node5", mbp: "node6" }))).toEqual([]);
  });

  it("leads through machines that there are", () => {
    expect(wrongWith({}, machines({ node6: "node7" }))).toEqual(["unknown-machine machines.node6.jump"]);
  });

  it("does not go round in a circle, which is reported once", () => {
    expect(checkLab(plainLab({}, machines({ node5: "mbp", node6: "node5", mbp: "node6" })))).toMatchObject([
      {
        code: "jump-cycle",
        path: "machines.node5.jump",
        message: "The way goes round in a circle: node5 through mbp through node6 through node5.",
      },
    ]);
    expect(checkLab(plainLab({}, machines({ node5: "node5" })))).toMatchObject([
      { code: "jump-cycle", message: "node5 is to be reached through itself." },
    ]);
  });

  it("neither leads to the hub's own machine nor through it", () => {
    expect(wrongWith({}, machines({ hub: "node5" }))).toEqual(["bad-value machines.hub.jump"]);
    expect(wrongWith({}, machines({ node5: "hub" }))).toEqual(["bad-value machines.node5.jump"]);
  });
});
