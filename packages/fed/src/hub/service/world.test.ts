import { defineLab, type LabDocument, process, server } from "@fed/lab";
import { expect, test } from "vitest";
import { untilAborted } from "#base/abort.ts";
import { handClock } from "#base/hand-clock.ts";
import { type Checks, openChecks } from "#hub/check/loop.ts";
import type { Probe } from "#port/probe.ts";
import { resolveLab } from "./resolve.ts";
import { asWanted, makeGates, makeSites } from "./site.scene.ts";
import { startTidyMs, World } from "./world.ts";

const signal = new AbortController().signal;
const wellAtOnce: Checks = {
  track() {},
  untrack() {},
  close() {},
  stateOf: () => ({ health: "healthy", failures: 0, reason: "" }),
  trackedMs: () => 0,
};
const document = defineLab({
  name: "one",
  machines: { here: server({ address: "local" }) },
  environments: { dev: { machines: ["here"] } },
  services: { web: { run: process(["serve"]), route: "web.localhost" } },
}) as unknown as LabDocument;

function resolvedWeb() {
  const [service] = resolveLab(document, {
    ...{ folder: "/", doorOf: () => undefined, secretVersion: () => 0, absolute: (_: string, path: string) => path },
  });
  if (!service) throw new Error("the lab has a service");
  return service;
}

test("an instance serves once the ingress has acknowledged it, and the one before it until then", async () => {
  const clock = handClock();
  const gates = makeGates(clock);
  const service = resolvedWeb();
  let born = 0;
  const world = new World(
    {
      ...{ clock, gates, inherited: {}, sites: makeSites(clock).sites, onNews() {} },
      prepare: async () => ({ id: `i${born++}`, environment: {} }),
      contractOf: () => service.contract,
      keep: async () => {},
    },
    wellAtOnce,
  );
  world.setServices([asWanted(service)]);
  const { key, spec } = service;
  const routed = () => world.instances.filter((one) => world.isRouted(one)).map(({ id }) => id);
  const switchBut = (...except: string[]) => world.execute({ kind: "switch", service: key, spec, except }, signal);
  await world.execute({ kind: "start", service: key, spec, replica: 0 }, signal);
  await switchBut();
  await world.execute({ kind: "start", service: key, spec, replica: 0 }, signal);
  expect(routed()).toEqual(["i0"]);

  const { apply } = gates.ingress;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  gates.ingress.apply = async (routes, inner) => {
    asked.resolve();
    await answer.promise;
    return apply(routes, inner);
  };
  const switched = switchBut("i0");
  await asked.promise;
  expect(routed()).toEqual(["i0"]);
  answer.resolve();
  await switched;
  expect(routed()).toEqual(["i1"]);

  gates.ingress.apply = async () => {
    throw new Error("it is away");
  };
  await expect(switchBut("i1")).rejects.toThrow("it is away");
  expect(routed()).toEqual(["i1"]);

  gates.ingress.apply = async (routes, inner) => {
    await apply(routes, inner);
    throw new Error("it took that, and did not say so");
  };
  await expect(switchBut("i1")).rejects.toThrow("did not say so");
  gates.ingress.apply = apply;
  // Who serves as before is not switched to again, and who was to take over may end.
  await world.execute({ kind: "drain", service: key, instance: "i0" }, signal);
  expect(gates.ingress.drained).toEqual(["i0"]);
});

test("what ran before this hub has its time to be found healthy, whenever its machine says that it began", async () => {
  const clock = handClock();
  const service = resolvedWeb();
  const { key, spec, contract } = service;
  const { sites, processes } = makeSites(clock);
  const labels = { lab: "one", environment: "dev", service: "web", spec, replica: 0 };
  const { workload, limits } = asWanted(service);
  await processes.start({ id: "i0", labels, environment: {}, workload, port: undefined, limits } as never, signal);
  await clock.turn(24 * 60 * 60_000);
  let well = false;
  const checks = openChecks({
    ...{ clock, beginRun: () => () => {}, onChange: (id, state) => world.healthChanged(id, state) },
    probe: {
      tcp: async () => (well ? { kind: "healthy", tookMs: 1 } : { kind: "unhealthy", reason: "not yet" }),
    } as Partial<Probe> as Probe,
  });
  const world: World = new World(
    {
      ...{ clock, gates: makeGates(clock), inherited: {}, sites, onNews() {}, keep: async () => {} },
      prepare: async () => ({ id: "i1", environment: {} }),
      contractOf: () => contract,
    },
    checks,
  );
  world.setServices([asWanted(service)]);
  await world.observe(signal);
  const ask = () => world.execute({ kind: "check", service: key, spec, atLeast: 1, except: [] }, signal);
  const first = ask();
  await clock.turn(contract.withinMs / 2);
  well = true;
  await clock.turn(contract.withinMs / 4);
  await expect(first).resolves.toBeUndefined();
  checks.close();
});

test("a start whose plan is out of date goes on to its end, and is given up only when that does not come", async () => {
  const clock = handClock();
  const service = resolvedWeb();
  const { key, spec } = service;
  const { sites } = makeSites(clock);
  const { start } = sites;
  let asked = Promise.withResolvers<void>();
  let answer = Promise.withResolvers<void>();
  let born = 0;
  let heard = new AbortController().signal;
  const world = new World(
    {
      ...{ clock, gates: makeGates(clock), inherited: {}, onNews() {}, keep: async () => {} },
      sites: {
        ...sites,
        async start(machine, wanted, inner) {
          heard = inner;
          asked.resolve();
          await untilAborted(answer.promise, inner);
          return start(machine, wanted, inner);
        },
      },
      prepare: async () => ({ id: `i${born++}`, environment: {} }),
      contractOf: () => service.contract,
    },
    wellAtOnce,
  );
  world.setServices([asWanted(service)]);
  const begin = async () => {
    asked = Promise.withResolvers();
    answer = Promise.withResolvers();
    const plan = new AbortController();
    const started = world.execute({ kind: "start", service: key, spec, replica: 0 }, plan.signal);
    await asked.promise;
    plan.abort(new Error("the plan is out of date"));
    return { started };
  };
  const slow = await begin();
  await clock.turn(startTidyMs - 1);
  answer.resolve();
  await slow.started;
  expect(world.instances.map(({ id }) => id)).toEqual(["i0"]);

  const silent = await begin();
  const given = expect(silent.started).rejects.toThrow("the plan is out of date");
  await clock.turn(startTidyMs);
  await given;
  expect(world.instances.map(({ id }) => id)).toEqual(["i0"]);

  // A hub that ends waits for nobody, and breaks nothing off.
  const left = await begin();
  expect(world.isStarting(key)).toBe(true);
  world.letStartsGo();
  await expect(left.started).rejects.toThrow("the hub is ending");
  await clock.turn(startTidyMs);
  expect([heard.aborted, world.isStarting(key)]).toEqual([false, false]);
  expect(clock.waiting).toBe(0);
});
