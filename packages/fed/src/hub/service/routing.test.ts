import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeFakeIngress } from "#port/ingress.fake.ts";
import type { IngressRoute } from "#port/ingress.ts";
import type { Instance } from "#port/runtime.ts";
import { type Gates, openRouting, type RouteTable, routesAt } from "./routing.ts";
import type { Placed } from "./site.ts";

const { signal } = new AbortController();
const seen = () => false;

function makeStage() {
  const clock = handClock();
  const [own, far] = [makeFakeIngress(clock), makeFakeIngress(clock)];
  const gates: Gates & { away: Fault | undefined } = {
    away: undefined,
    own: { ingress: own, machine: undefined },
    of: (machine) => (machine === "node5" ? node5 : gates.own),
  };
  const careful = <A extends unknown[], R>(deed: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (gates.away) throw gates.away;
      return deed(...args);
    };
  };
  const node5 = {
    ingress: { ...far, apply: careful(far.apply), drain: careful(far.drain), status: careful(far.status) },
    machine: "node5",
    version: "1",
  };
  const recalled: string[] = [];
  const recall = (routes: readonly IngressRoute[]) => void recalled.push(...routes.map(({ service }) => service));
  return { own, far, gates, node5, recalled, routing: openRouting(gates, recall) };
}

const service = (key: string, machine: string) => ({
  ...{ key, machine, route: `${key.replace("/", "-")}.lan`, tls: undefined },
  door: { port: 30_001, protocol: "http" } as const,
});

function placed(id: string, machine: string): Placed {
  const instance = { id, address: { host: "127.0.0.1", port: 41_000 } } as Instance;
  return { instance, machine, there: { host: "127.0.0.1", port: 32_768 } };
}

const table: RouteTable = {
  services: [service("dev/web", "node5"), { ...service("dev/api", "hub"), door: undefined }],
  targets: new Map([
    ["dev/web", [placed("ins_1", "node5")]],
    ["dev/api", [placed("ins_2", "")]],
  ]),
};

test("a name that no given certificate is for goes without TLS, and with it as soon as there is one", async () => {
  const { gates, own, routing } = makeStage();
  let there = false;
  const look = async () => ({ covers: () => there, version: String(there) });
  Object.assign(gates.own, { look });
  const services = [{ ...service("dev/api", "hub"), tls: "given" as const, door: undefined }];
  const tls = () => own.applied.map(([route]) => route?.match.kind === "host" && route.match.tls?.kind);
  await routing.apply({ ...table, services }, signal);
  there = true;
  await routing.apply({ ...table, services }, signal);
  await routing.apply({ ...table, services }, signal);
  expect(tls()).toEqual([undefined, "given"]);
});

test("a host name is led by the ingress of its machine, at addresses of that machine; doors by the hub's own", async () => {
  const { routing, own, far } = makeStage();
  expect([routing.openAt("172.18.0.1"), routing.openAt("172.18.0.1")]).toEqual([true, false]);
  await routing.apply(table, signal, "dev/web");
  const hosts = ["172.18.0.1"];
  expect(own.applied.at(-1)?.map(({ match, targets }) => [match, targets[0]?.port])).toEqual([
    [{ kind: "door", port: 30_001, protocol: "http", hosts }, 41_000],
    [{ kind: "host", host: "dev-api.lan" }, 41_000],
  ]);
  expect(far.applied.at(-1)?.map(({ match, targets }) => [match, targets[0]?.port])).toEqual([
    [{ kind: "host", host: "dev-web.lan" }, 32_768],
  ]);
});

test("doors are told once more when their address is surely there", async () => {
  const { routing, own } = makeStage();
  routing.openAt("172.18.0.1");
  await routing.announce(table, seen, signal);
  await routing.announce(table, seen, signal);
  expect(own.applied).toHaveLength(1);
  expect([routing.isThere("172.18.0.1"), routing.isThere("172.18.0.1")]).toEqual([true, false]);
  await routing.announce(table, seen, signal);
  await routing.announce(table, seen, signal);
  expect(own.applied).toHaveLength(2);
});

test("doors are told once more, too, when their address came while they were being told", async () => {
  const { gates, routing, own } = makeStage();
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const apply: typeof own.apply = async (...asked) => {
    begun.resolve();
    await held.promise;
    return own.apply(...asked);
  };
  Object.assign(gates.own, { ingress: { ...own, apply } });
  routing.openAt("172.18.0.1");
  const first = routing.announce(table, seen, signal);
  await begun.promise;
  routing.isThere("172.18.0.1");
  held.resolve();
  await first;
  await routing.announce(table, seen, signal);
  expect(own.applied).toHaveLength(2);
});

test("the same table is not applied twice, but once more to who may have lost it", async () => {
  const { routing, own, far, node5 } = makeStage();
  await routing.apply(table, signal, "dev/web");
  await routing.apply(table, signal, "dev/web");
  expect([own.applied.length, far.applied.length]).toEqual([1, 1]);
  await routing.tend(table, seen, signal);
  expect([own.applied.length, far.applied.length]).toEqual([1, 1]);
  await far.apply([], signal);
  await routing.tend(table, () => true, signal);
  expect(far.applied).toHaveLength(2);
  await routing.tend(table, seen, signal);
  expect([own.applied.length, far.applied.length]).toEqual([1, 3]);
  node5.version = "2";
  await routing.apply(table, signal, "dev/web");
  expect(far.applied).toHaveLength(4);
});

test("an ingress is asked where it led before this hub, before it is told anything", async () => {
  const { routing, far, recalled, gates } = makeStage();
  await far.apply(routesAt(gates.of("node5"), gates, table, []), signal);
  await routing.apply(table, signal, "dev/api");
  expect(recalled).toEqual([]);
  await routing.tend(table, seen, signal);
  expect(recalled).toEqual(["dev/web"]);
});

test("an ingress that does not answer holds up its own services alone, and gets its routes when it is back", async () => {
  const { routing, own, far, gates } = makeStage();
  gates.away = new Fault("unreachable", "node5 is gone");
  await routing.apply(table, signal);
  await routing.apply(table, signal, "dev/api");
  expect(own.applied).toHaveLength(1);
  await expect(routing.apply(table, signal, "dev/web")).rejects.toBe(gates.away);
  await routing.drain("ins_9", 1_000, signal);
  expect([...(await routing.tend(table, seen, signal))]).toEqual([["node5", "node5 is gone"]]);
  gates.away = undefined;
  expect([...(await routing.tend(table, seen, signal))]).toEqual([]);
  expect(far.applied).toHaveLength(1);
});

test("an ingress of a machine where services were, before this hub, lets go of them; one that led to nobody is left alone", async () => {
  const { routing, far, gates } = makeStage();
  const empty: RouteTable = { services: [], targets: new Map() };
  gates.away = new Fault("unreachable", "node5 is gone");
  expect([...(await routing.tend(empty, seen, signal, ["node5"]))]).toEqual([]);
  gates.away = undefined;
  await routing.tend(empty, seen, signal, ["node5"]);
  expect(far.applied).toEqual([]);
  const next = openRouting(gates, () => {});
  await far.apply(routesAt(gates.of("node5"), gates, table, []), signal);
  await next.tend(empty, seen, signal, ["node5"]);
  expect(far.applied.at(-1)).toEqual([]);
});

test("an instance is drained by all who have led to it", async () => {
  const { routing, own, far } = makeStage();
  await routing.apply(table, signal, "dev/web");
  const without = { ...table, targets: new Map() };
  await routing.apply(without, signal, "dev/web");
  await routing.drain("ins_1", 1_000, signal);
  expect([own.drained, far.drained]).toEqual([["ins_1"], ["ins_1"]]);
});

test("an ingress that led to a service which is gone, or is elsewhere now, is told as well", async () => {
  const { routing, far, gates } = makeStage();
  await routing.apply(table, signal, "dev/web");
  const moved = {
    ...table,
    services: [service("dev/web", "hub")],
    targets: new Map([["dev/web", [placed("ins_3", "")]]]),
  };
  await routing.apply(moved, signal, "dev/web");
  expect(far.applied.at(-1)).toEqual([]);
  await routing.apply(table, signal, "dev/web");
  await routing.apply({ services: [], targets: new Map() }, signal, "dev/web");
  expect(far.applied.at(-1)).toEqual([]);
  await routing.drain("ins_1", 1_000, signal);
  await routing.apply(table, signal, "dev/web");
  gates.away = new Fault("unreachable", "node5 is gone");
  await routing.apply(moved, signal, "dev/web");
});

test("what an ingress led to before this hub is drained by it, also when it is not led to any more", async () => {
  const { routing, far, gates } = makeStage();
  far.setInFlight("ins_0", 1);
  await far.apply(routesAt(gates.of("node5"), gates, table, []), signal);
  await routing.apply({ ...table, targets: new Map() }, signal, "dev/web");
  const draining = [routing.drain("ins_0", 1_000, signal), routing.drain("ins_1", 1_000, signal)];
  far.setInFlight("ins_0", 0);
  await Promise.all(draining);
  expect(far.drained.toSorted()).toEqual(["ins_0", "ins_1"]);
});

test("an ingress that may have taken what it did not acknowledge is told again, also of what it was told before", async () => {
  const { routing, far, node5 } = makeStage();
  await routing.apply(table, signal, "dev/web");
  const { apply } = node5.ingress;
  node5.ingress.apply = async (...asked) => {
    await apply(...asked);
    throw new Fault("timeout", "it took too long");
  };
  const next = { ...table, targets: new Map([...table.targets, ["dev/web", [placed("ins_9", "node5")]]]) };
  await expect(routing.apply(next, signal, "dev/web")).rejects.toThrow("it took too long");
  node5.ingress.apply = apply;
  // Somebody cancelled it: who served serves on.
  await routing.apply(table, signal, "dev/web");
  expect(far.applied.at(-1)?.flatMap(({ targets }) => targets.map(({ instance }) => instance))).toEqual(["ins_1"]);
});
