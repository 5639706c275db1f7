import { defineLab, hashText, image, type LabDocument, process, server } from "@fed/lab";
import { afterEach, expect, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { applyPlan } from "#engine/reconcile/apply.ts";
import { diff } from "#engine/reconcile/diff.ts";
import type { Checks } from "#hub/check/loop.ts";
import type { RuntimeEvent } from "#port/runtime.ts";
import { desiredFrom } from "./desired.ts";
import { resolveLab } from "./resolve.ts";
import type { Gates } from "./routing.ts";
import { makeGates, makeSites, wantedOf } from "./site.scene.ts";
import type { Engine } from "./site.ts";
import type { Sites, SitesNeeds } from "./sites.ts";
import { World } from "./world.ts";

const signal = new AbortController().signal;
const opened: Sites[] = [];
afterEach(async () => {
  for (const sites of opened.splice(0)) await sites.close();
});

const wellAtOnce: Checks = {
  track() {},
  untrack() {},
  close() {},
  stateOf: () => ({ health: "healthy", failures: 0, reason: "" }),
  trackedMs: () => 0,
};

const lab = defineLab({
  name: "ocean",
  machines: { hub: server({ address: "local" }), node5: server({ address: "10.0.0.5" }) },
  environments: { dev: { machines: ["hub", "node5"] } },
  services: {
    api: { run: process("node api.mjs") },
    web: { run: image("web:1"), port: 80, on: "node5", replicas: 2, route: "web.localhost" },
  },
}) as LabDocument;

function makeStage(options: Partial<SitesNeeds> = {}) {
  const clock = handClock();
  const changes: number[] = [];
  const events: RuntimeEvent[] = [];
  const stage = makeSites(clock, {
    onChange: () => void changes.push(clock.tickMs()),
    onEvent: (event) => void events.push(event),
    ...options,
  });
  opened.push(stage.sites);
  let born = 0;
  const gates: Gates & { refuse: Fault | undefined } = { ...makeGates(clock), refuse: undefined };
  const { apply: acknowledge } = gates.own.ingress;
  Object.assign(gates.own.ingress, {
    async apply(...asked: Parameters<typeof acknowledge>) {
      if (gates.refuse) throw gates.refuse;
      return acknowledge(...asked);
    },
  });
  const world = new World(
    {
      ...{ clock, sites: stage.sites, gates, inherited: {}, onNews() {}, keep: async () => {} },
      prepare: async () => ({ id: `ins_${born++}`, environment: {} }),
      contractOf: () => undefined,
    },
    wellAtOnce,
  );
  function wish(document: LabDocument) {
    const resolved = resolveLab(document, {
      ...{ folder: "/lab", doorOf: () => undefined, secretVersion: () => 0, absolute: (_, path) => path },
    });
    const wanted = wantedOf(resolved, hashText(JSON.stringify(document)));
    world.setServices(wanted.services);
    stage.sites.follow(wanted.services.flatMap(({ container, machine }) => (container ? [machine] : [])));
    return async () => {
      const observed = await world.observe(signal);
      const needs = { earlier: {}, leaving: "nothing", holdOf: () => undefined } as const;
      const desired = desiredFrom(wanted, { ...needs, unseenOn: (machine) => world.unseenOn(machine) });
      return diff(desired, observed, { hash: hashText, nowMs: clock.nowMs() });
    };
  }
  const apply = async (plan: Awaited<ReturnType<ReturnType<typeof wish>>>) =>
    applyPlan(plan, {
      observe: (inner) => world.observe(inner),
      execute: (action, inner) => world.execute(action, inner),
      ...{ hash: hashText, clock, concurrency: 8, deadlineMs: 60_000, signal },
    });
  return { ...stage, clock, world, wish, apply, changes, events, gates };
}

test("each service runs where it belongs: processes here, containers by the engine of their machine", async () => {
  const { wish, apply, processes, machine } = makeStage();
  const plan = wish(lab);
  expect(await apply(await plan())).toMatchObject({ kind: "done" });
  expect((await plan()).steps).toEqual([]);
  expect(processes.started.map(({ labels }) => labels.service)).toEqual(["api"]);
  expect(machine("node5").runtime.started.map(({ labels }) => labels.replica)).toEqual([0, 1]);
});

test("of a machine that is cut off nothing is touched and nothing starts elsewhere; when it is back all goes on", async () => {
  const { wish, apply, cutOff, machine, clock, world, changes } = makeStage();
  const plan = wish(lab);
  await apply(await plan());
  const { runtime } = machine("node5");
  const before = runtime.started.length;
  cutOff("node5");
  const [id = ""] = runtime.started.map((one) => one.id);
  runtime.crash(id);
  const away = await plan();
  expect(away.steps).toEqual([]);
  expect(away.notes).toEqual(["dev/web is on node5, which cannot be asked: the cable is cut"]);
  expect(world.isUnseen(id)).toBe(true);
  expect(world.instances.find((one) => one.id === id)?.state).toBe("running");
  machine("node5").trouble = undefined;
  expect((await plan()).steps).toEqual([]);
  const told = changes.length;
  await clock.turn(1_000);
  await vi.waitFor(() => expect(changes.length).toBeGreaterThan(told));
  expect(world.unseenOn("node5")).toBeDefined();
  const back = await plan();
  expect(back.steps.map(({ action }) => action.kind)).toContain("start");
  expect(await apply(back)).toMatchObject({ kind: "done" });
  expect(runtime.started).toHaveLength(before + 1);
});

test("a hub that begins while a machine is away starts nothing there, and takes over what runs when it is back", async () => {
  const { wish, cutOff, machine, clock, sites, changes } = makeStage();
  cutOff("node5");
  const plan = wish(lab);
  const first = await plan();
  expect(first.steps.map(({ action }) => action.service)).not.toContain("dev/web");
  expect(first.notes[0]).toMatch(/^dev\/web is on node5, which cannot be asked/);
  await expect(sites.imagesOf("node5", signal)).rejects.toMatchObject({ code: "unreachable" });
  machine("node5").trouble = undefined;
  await clock.turn(4_000);
  await vi.waitFor(() => expect(changes.length).toBeGreaterThan(1));
  expect((await plan()).notes).toEqual([]);
  expect(await sites.imagesOf("node5", signal)).toBe(machine("node5").images);
});

test("nobody waits long for a machine that does not answer", async () => {
  const { wish, clock } = makeStage({ openEngine: () => new Promise(() => {}) });
  const plan = wish(lab);
  const asked = plan();
  await clock.turn(3_000);
  expect((await asked).notes).toEqual(["dev/web is on node5, which cannot be asked: it is being connected to"]);
  expect((await plan()).notes[0]).toMatch(/being connected to/);
});

test("a start that finds its machine gone makes the machine one that is away", async () => {
  const { wish, apply, cutOff, world } = makeStage();
  const plan = wish(lab);
  const made = await plan();
  cutOff("node5");
  // Seen a moment ago: the plan is carried out, and its steps find out.
  const outcome = await apply(made);
  expect(["failed", "moved", "done"]).toContain(outcome.kind);
  await world.observe(signal);
  expect(world.unseenOn("node5")).toBe("the cable is cut");
});

test("what happens to instances is told, whatever machine they are on", async () => {
  const { wish, apply, machine, processes, events } = makeStage();
  await apply(await wish(lab)());
  for (const { runtime } of [machine("node5"), { runtime: processes }]) {
    const [one] = runtime.started;
    runtime.crash(one?.id ?? "");
    await vi.waitFor(() =>
      expect(events).toContainEqual(expect.objectContaining({ kind: "exited", id: one?.id ?? "" })),
    );
  }
});

test("what was once on a machine that is no longer asked is not seen any more", async () => {
  const { wish, apply, world } = makeStage();
  await apply(await wish(lab)());
  const without = { ...lab, services: { api: lab.services.api } } as LabDocument;
  await apply(await wish(without)());
  expect(world.instances.map(({ labels }) => labels.service)).toEqual(["api"]);
});

test("a machine whose images somebody works with stays within reach, though nothing runs there yet", async () => {
  const clock = handClock();
  const opened = Promise.withResolvers<Engine>();
  const closed: string[] = [];
  const { sites, machine } = makeSites(clock, { openEngine: () => opened.promise });
  const asked = sites.imagesOf("node9", signal);
  // Another service is released meanwhile, elsewhere.
  sites.follow([]);
  const { runtime, images } = machine("node9");
  opened.resolve({ images, runtime: { ...runtime, close: async () => void closed.push("node9") } });
  expect(await asked).toBe(images);
  sites.follow([]);
  expect(closed).toEqual([]);
  await clock.turn(3_600_000);
  sites.follow([]);
  await vi.waitFor(() => expect(closed).toEqual(["node9"]));
  await sites.close();
});

test("what another hub runs on the same engine is none of ours", async () => {
  const { wish, apply, machine, world } = makeStage();
  const { runtime } = machine("node5");
  const labels = { lab: "somebody else's", environment: "dev", service: "web", spec: "s", replica: 0 };
  const workload = { kind: "image", reference: "sha256:0" } as const;
  await runtime.start({ id: "ins_other", labels, workload, environment: {}, limits: {} }, signal);
  const plan = wish(lab);
  await apply(await plan());
  expect((await plan()).steps).toEqual([]);
  expect(world.instances.map(({ id }) => id)).not.toContain("ins_other");
  expect((await runtime.list(signal)).find(({ id }) => id === "ins_other")?.state).toBe("running");
});

test("a switch that was not acknowledged leaves who served before the one who serves", async () => {
  const { wish, apply, world, gates } = makeStage();
  await apply(await wish(lab)());
  const before = world.instances.filter((one) => world.isRouted(one)).map(({ id }) => id);
  const changed = { ...lab, services: { ...lab.services, web: { ...lab.services.web, port: 81 } } } as LabDocument;
  const next = wish(changed);
  gates.refuse = new Fault("unreachable", "the ingress is gone");
  expect(await apply(await next())).toMatchObject({ kind: "failed" });
  expect(world.instances.filter((one) => world.isRouted(one)).map(({ id }) => id)).toEqual(before);
  gates.refuse = undefined;
  expect(await apply(await next())).toMatchObject({ kind: "done" });
  expect((await next()).steps).toEqual([]);
});
