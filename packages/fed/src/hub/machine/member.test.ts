import { expect, test } from "vitest";
import { server, workstation } from "./machine.scene.ts";
import { type Added, fleetOf, isAt, isSamePlace, takenOver } from "./member.ts";

const added: ReadonlyMap<string, Added> = new Map([
  ["node5", { mode: "ssh", document: server("10.0.0.5") }],
  ["far", { mode: "push", document: workstation("") }],
]);

test("the fleet is the lab's machines and those that were added; where both have one the lab's words count", () => {
  const lab = {
    here: server("local"),
    node5: { ...server("10.0.0.9"), every: "1m" },
    far: workstation("mbp"),
  } as const;
  expect([...fleetOf(lab, added)]).toEqual([
    ["here", { document: lab.here, mode: "local", origin: "lab", intervalMs: 10_000 }],
    ["node5", { document: lab.node5, mode: "ssh", origin: "lab", intervalMs: 60_000 }],
    ["far", { document: lab.far, mode: "push", origin: "lab", intervalMs: 10_000 }],
  ]);
  expect(takenOver(lab, added)).toEqual(["node5"]);
  expect([...fleetOf({}, added)].map(([name, { mode, origin }]) => [name, mode, origin])).toEqual([
    ["node5", "ssh", "added"],
    ["far", "push", "added"],
  ]);
  expect(fleetOf({ far: server("local") }, added).get("far")?.mode).toBe("local");
});

test("a place is where SSH finds a machine; one that reports by itself is at its place wherever it is", () => {
  const at = (document: Added["document"], mode: Added["mode"] = "ssh") =>
    fleetOf({}, new Map([["a", { mode, document }]])).get("a") ?? expect.unreachable();
  expect(isSamePlace(at(server("a")), at({ ...server("a"), port: 22 }))).toBe(true);
  expect(isSamePlace(at(server("a")), at(server("b")))).toBe(false);
  expect(isSamePlace(at(server("a"), "push"), at(server("b"), "push"))).toBe(true);
  expect(isSamePlace(at(server("a"), "push"), at(server("a")))).toBe(false);
  const tailscale = { kind: "workstation", tailscale: "mbp" } as const;
  expect(isSamePlace(at(tailscale), at(workstation("mbp")))).toBe(true);
});

test("an exporter is on the machine when its URL leads there, and only about it when not", () => {
  expect(isAt(server("Node5.lan"), "http://node5.lan:9100/metrics")).toBe(true);
  expect(isAt(server("fe80::1"), "http://[fe80::1]:9100/metrics")).toBe(true);
  expect(isAt({ kind: "workstation", tailscale: "mbp" }, "https://mbp/metrics")).toBe(true);
  expect(isAt(server("node5"), "http://unpoller:9130/metrics")).toBe(false);
});
