import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { defineLab, hashText, type LabDocument, process, server } from "@fed/lab";
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { applyPlan } from "#engine/reconcile/apply.ts";
import { diff } from "#engine/reconcile/diff.ts";
import type { Desired } from "#engine/reconcile/plan.ts";
import type { Checks } from "#hub/check/loop.ts";
import { loadLab } from "#hub/lab/load.ts";
import { withDoors } from "./door.ts";
import { referredServices, resolveLab } from "./resolve.ts";
import type { ResolvedService } from "./service.ts";
import { asWanted, makeGates, makeSites } from "./site.scene.ts";
import { World } from "./world.ts";

/** plan(apply(plan)) is empty: on the real world class, with a runtime and an ingress in memory. */

const signal = new AbortController().signal;
const wellAtOnce: Checks = {
  track() {},
  untrack() {},
  close() {},
  stateOf: () => ({ health: "healthy", failures: 0, reason: "" }),
  trackedMs: () => 0,
};

function makeStage() {
  const clock = handClock();
  let born = 0;
  const specs = new Map<string, ResolvedService>();
  const { sites } = makeSites(clock);
  const world = new World(
    {
      ...{ sites, gates: makeGates(clock), clock },
      inherited: {},
      prepare: async () => ({ id: `ins_${String(born++).padStart(6, "0")}`, environment: {} }),
      contractOf: (spec) => specs.get(spec)?.contract,
      keep: async () => {},
      onNews() {},
    },
    wellAtOnce,
  );
  /** Every environment here, on one machine: that a hub runs only what is on its own is another matter. */
  function wish(document: LabDocument): Desired {
    const doors = withDoors(new Map(), referredServices(document), 0);
    const services = resolveLab(document, {
      folder: "/lab",
      doorOf: (key) => doors.get(key),
      secretVersion: () => 0,
      absolute: resolve,
    });
    for (const service of services) specs.set(service.spec, service);
    world.setServices(services.map(asWanted));
    sites.follow(services.flatMap(({ container, machine }) => (container ? [machine] : [])));
    return { hash: hashText(JSON.stringify(document)), earlier: {}, services: services.map((one) => ({ ...one })) };
  }
  const options = { hash: hashText, nowMs: clock.nowMs() };
  async function settle(document: LabDocument) {
    const desired = wish(document);
    const plan = diff(desired, await world.observe(signal), options);
    const outcome = await applyPlan(plan, {
      observe: (inner) => world.observe(inner),
      execute: (action, inner) => world.execute(action, inner),
      ...{ hash: hashText, clock, concurrency: 8, deadlineMs: 60_000, signal },
    });
    const again = diff(desired, await world.observe(signal), options);
    return { outcome: outcome.kind, left: again.steps.map(({ id }) => id), running: world.instances.length };
  }
  return { settle };
}

const examples = resolve(import.meta.dirname, "../../../../../examples");

test.each(readdirSync(examples))("nothing is left to do after the plan of examples/%s", async (name) => {
  const loaded = await loadLab(resolve(examples, name), { clock: systemClock });
  if (loaded.kind === "rejected") throw new Error(JSON.stringify(loaded.diagnostics));
  const settled = await makeStage().settle(loaded.document);
  expect(settled).toMatchObject({ outcome: "done", left: [] });
  expect(settled.running).toBeGreaterThan(1);
});

interface Draft {
  readonly replicas: number;
  readonly needs: readonly number[];
  readonly refers: boolean;
  readonly pinned: boolean;
  readonly greeting: string;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  replicas: fc.integer({ min: 1, max: 3 }),
  needs: fc.array(fc.nat(7), { maxLength: 3 }),
  refers: fc.boolean(),
  pinned: fc.boolean(),
  greeting: fc.constantFrom("a", "b", "c"),
});

/** A lab of these services: each may need those before it, so that there is no cycle. */
function labOf(drafts: readonly Draft[]): LabDocument {
  const services = drafts.map((one, at) => {
    const needs = [...new Set(one.needs.filter((need) => need < at).map((need) => `s${need}`))];
    const [first] = needs;
    const env = { GREETING: one.greeting, ...(one.refers && first !== undefined ? { OTHER: { service: first } } : {}) };
    // A fixed port of the machine admits one instance of it.
    const shape = one.pinned ? { port: 4000 + at } : { replicas: one.replicas };
    return [`s${at}`, { run: process(["serve", String(at)]), needs, env, ...shape }] as const;
  });
  return defineLab({
    name: "generated",
    machines: { here: server({ address: "local" }) },
    environments: { dev: { machines: ["here"] } },
    services: Object.fromEntries(services) as Record<string, never>,
  }) as unknown as LabDocument;
}

test("nothing is left to do after the plan of any lab, nor after an edit of it", async () => {
  const lab = fc.array(draft, { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(lab, lab, async (before, after) => {
      const stage = makeStage();
      expect(await stage.settle(labOf(before))).toMatchObject({ outcome: "done", left: [] });
      expect(await stage.settle(labOf(after))).toMatchObject({ outcome: "done", left: [] });
    }),
    { numRuns: 500 },
  );
});

test("a replica added to one that has run for long gets its own time to become healthy", async () => {
  const clock = handClock();
  const well = new Set<string>();
  let born = 0;
  const document = labOf([{ replicas: 2, needs: [], refers: false, pinned: false, greeting: "a" }]);
  const [service] = resolveLab(document, {
    folder: "/",
    doorOf: () => undefined,
    secretVersion: () => 0,
    absolute: resolve,
  });
  if (!service) throw new Error("the lab has a service");
  const world = new World(
    {
      ...{ clock, inherited: {}, sites: makeSites(clock).sites, gates: makeGates(clock), onNews() {} },
      prepare: async () => ({ id: `i${born++}`, environment: {} }),
      contractOf: () => service.contract,
      keep: async () => {},
    },
    { ...wellAtOnce, stateOf: (id) => ({ health: well.has(id) ? "healthy" : "unknown", failures: 0, reason: "" }) },
  );
  world.setServices([asWanted(service)]);
  const { key, spec } = service;
  await world.execute({ kind: "start", service: key, spec, replica: 0 }, signal);
  well.add("i0");
  await clock.turn(3_600_000);
  await world.execute({ kind: "start", service: key, spec, replica: 1 }, signal);
  const checked = world.execute({ kind: "check", service: key, spec, atLeast: 2, except: [] }, signal);
  const outcome = checked.then(
    () => "healthy",
    (thrown: Error) => thrown.message,
  );
  await clock.turn(1_000);
  well.add("i1");
  world.healthChanged("i1", { health: "healthy", failures: 0, reason: "" });
  await clock.turn(1_000);
  expect(await outcome).toBe("healthy");
});
