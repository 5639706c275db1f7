import type { HubStatus, InstanceStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { expect, test } from "vitest";
import { groupServices, orderInstances, reasonOf, runningSince } from "./services-list.ts";

const instance = (id: string, more: Partial<InstanceStatus> = {}): InstanceStatus => ({
  id,
  replica: 0,
  spec: "s1",
  state: "running",
  health: "healthy",
  routed: true,
  port: 4000,
  startedMs: 1000,
  ...more,
});

const service = (environment: string, name: string, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  environment,
  service: name,
  machine: "hub",
  state: "healthy",
  detail: "",
  replicas: { wanted: 1, healthy: 1 },
  crashes: 0,
  instances: [],
  ...more,
});

const status = (services: readonly ServiceStatus[]): HubStatus => ({
  lab: { name: "ocean", hash: "h", file: "/lab.ts", acceptedMs: 0 },
  ready: true,
  ingress: "http://127.0.0.1:8080",
  environments: ["dev", "prod"],
  services: [...services],
});

const names = (groups: ReturnType<typeof groupServices>) =>
  groups.map(({ environment, services }) => [environment, services.map((one) => one.service)]);

test("services are grouped by environment in the lab's order, and sorted in it", () => {
  const groups = groupServices(
    status([
      service("prod", "b"),
      service("dev", "web", { state: "gave up" }),
      service("dev", "api"),
      service("gone", "x"),
    ]),
  );
  expect(names(groups)).toEqual([
    ["dev", ["api", "web"]],
    ["prod", ["b"]],
    ["gone", ["x"]],
  ]);
  expect(groups[0]?.healthy).toBe(1);
});

test("every word that is looked for must be in the name, the machine or the state", () => {
  const all = status([service("dev", "api"), service("prod", "api", { machine: "node5" }), service("dev", "web")]);
  expect(names(groupServices(all, "api node5"))).toEqual([["prod", ["api"]]]);
  expect(names(groupServices(all, " DEV/W "))).toEqual([["dev", ["web"]]]);
  expect(groupServices(all, "nothing")).toEqual([]);
});

test("it runs since its youngest instance began", () => {
  const instances = [
    instance("a", { startedMs: 5 }),
    instance("b", { startedMs: 9 }),
    instance("c", { startedMs: 20, state: "exited" }),
  ];
  expect(runningSince({ instances })).toBe(9);
  expect(runningSince({ instances: [] })).toBeUndefined();
});

test("what runs comes before what ended", () => {
  const instances = [
    instance("old", { state: "exited", startedMs: 1 }),
    instance("second", { replica: 1 }),
    instance("late", { state: "exited", startedMs: 2 }),
    instance("first"),
  ];
  expect(orderInstances(instances).map(({ id }) => id)).toEqual(["first", "second", "late", "old"]);
});

test("why a service is as it is: its own words, and how it ended while it starts again", () => {
  const ended = [
    instance("a", { state: "exited", startedMs: 1_000, exit: "exit code 1" }),
    instance("b", { state: "exited", startedMs: 2_000, exit: "exit code 3" }),
  ];
  expect(reasonOf(service("dev", "api", { state: "unhealthy", detail: "status 500", crashes: 2 }))).toBe("status 500");
  expect(reasonOf(service("dev", "api", { state: "starting", crashes: 2, instances: ended }))).toBe(
    "after 2 failures; the last: exit code 3",
  );
  expect(reasonOf(service("dev", "api", { state: "starting", crashes: 1 }))).toBe("after 1 failure");
  expect(reasonOf(service("dev", "api", { state: "starting" }))).toBe("");
  expect(reasonOf(service("dev", "api", { crashes: 2, instances: ended }))).toBe("");
});
