import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { expect, test } from "vitest";
import { groupMachines, machineShare, matrixOf, serviceShare, troublesOf } from "./overview-summary.ts";

const service = (environment: string, name: string, state: ServiceStatus["state"] = "healthy"): ServiceStatus => ({
  ...{ environment, service: name, state, machine: "here", detail: "", crashes: 0, instances: [] },
  replicas: { wanted: 1, healthy: state === "healthy" ? 1 : 0 },
});
const machine = (name: string, kind: WireMachine["kind"], state: WireMachine["state"]): WireMachine => ({
  ...{ name, kind, state, labels: {}, mode: "ssh", origin: "lab", detail: "", sinceMs: 0, services: [] },
  ...{ intervalMs: 10_000, problems: [], tally: {} },
});

test("the share of services is as bad as the worst of them, busy while one is on its way", () => {
  expect(serviceShare([])).toEqual({ good: 0, all: 0, tone: "idle" });
  expect(serviceShare([service("dev", "a")])).toEqual({ good: 1, all: 1, tone: "good" });
  expect(serviceShare([service("dev", "a"), service("dev", "b", "starting")]).tone).toBe("info");
  expect(serviceShare([service("dev", "a", "starting"), service("dev", "b", "gave up")]).tone).toBe("bad");
  expect(serviceShare([service("dev", "a"), service("dev", "b", "unsupported")]).tone).toBe("warn");
  expect(serviceShare([service("dev", "a"), service("dev", "b", "stopped")]).tone).toBe("good");
  expect(serviceShare([service("dev", "a", "stopped")]).tone).toBe("info");
});

test("a workstation that is away is nobody's alarm; a server that is offline is", () => {
  const away = machine("mbp", "workstation", "away");
  expect(machineShare([machine("hub", "server", "online"), away])).toEqual({ good: 1, all: 1, tone: "good" });
  expect(machineShare([machine("hub", "server", "offline"), away])).toEqual({ good: 0, all: 1, tone: "bad" });
  expect(machineShare([machine("mbp", "workstation", "online")])).toEqual({ good: 1, all: 1, tone: "good" });
  expect(machineShare([machine("mbp", "workstation", "degraded")])).toEqual({ good: 0, all: 1, tone: "warn" });
});

test("the matrix keeps the order of the environments and leaves out what does not run there", () => {
  const services = [service("prod", "web"), service("dev", "web", "starting"), service("dev", "api")];
  const matrix = matrixOf({ environments: ["dev", "prod"], services });
  expect(matrix.environments).toEqual(["dev", "prod"]);
  expect(matrix.rows.map(({ service: name, cells }) => [name, ...cells.map((cell) => cell?.state)])).toEqual([
    ["api", "healthy", undefined],
    ["web", "starting", "healthy"],
  ]);
});

test("a service in an environment that the lab no longer has still has a column", () => {
  expect(matrixOf({ environments: ["dev"], services: [service("old", "web", "stopping")] }).environments).toEqual([
    "dev",
    "old",
  ]);
});

test("servers and workstations stand apart, by name", () => {
  const { servers, workstations } = groupMachines([
    machine("z", "server", "online"),
    machine("m", "workstation", "away"),
    machine("node10", "server", "online"),
    machine("node2", "server", "online"),
  ]);
  const names = [servers, workstations].map((group) => group.map(({ name }) => name));
  expect(names).toEqual([["node2", "node10", "z"], ["m"]]);
});

test("what needs attention: the worst first, machines before services, nothing that is only on its way", () => {
  const services = [
    { ...service("dev", "fine"), crashes: 3 },
    service("dev", "new", "starting"),
    { ...service("dev", "again", "starting"), crashes: 2 },
    { ...service("prod", "gone", "gave up"), detail: "8 failures" },
    service("prod", "image", "unsupported"),
  ];
  const machines = [machine("mbp", "workstation", "away"), machine("cellar", "server", "offline")];
  expect(troublesOf(services, machines).map(({ subject, name, look, why }) => [subject, name, look.tone, why])).toEqual(
    [
      ["machine", "cellar", "bad", ""],
      ["service", "prod/gone", "bad", "8 failures"],
      ["service", "dev/again", "warn", "after 2 failures"],
      ["service", "prod/image", "warn", ""],
    ],
  );
});

test("what runs well but is another release than the lab says is told, too, and what has trouble with its certificate", () => {
  const differs = "release 4 failed: exit code 3";
  const certificate = "web.lan is served without TLS: no file";
  const services = [
    { ...service("dev", "api"), differs },
    { ...service("dev", "sick", "unhealthy"), differs, detail: "no answer" },
    { ...service("dev", "bare"), certificate },
    service("dev", "fine"),
  ];
  expect(troublesOf(services, []).map(({ name, look, why }) => [name, look.word, look.tone, why])).toEqual([
    ["dev/sick", "unhealthy", "bad", "no answer"],
    ["dev/api", "not as the lab says", "warn", differs],
    ["dev/bare", "certificate", "warn", certificate],
  ]);
});
