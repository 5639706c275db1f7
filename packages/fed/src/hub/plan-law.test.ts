import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import type { LabDocument } from "@fed/lab";
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Plan } from "#engine/reconcile/plan.ts";
import type { IngressRoute } from "#port/ingress.ts";
import type { Instance } from "#port/runtime.ts";
import { byHand, makeScene, type Scene } from "./deployment.scene.ts";
import { generatedLab } from "./generated-lab.scene.ts";
import { loadLab } from "./lab/load.ts";
import type { WantedService } from "./service/wanted.ts";
import { instanceKey } from "./service/world.ts";

/**
 * plan(apply(plan)) is empty, on the whole of deploying: whatever the lab, whatever people and the world did before. And a plan writes
 * nothing, neither a row nor anything outside.
 */

const engines = ["hub", "north", "south"];

/** What the hub has done outside since it was asked last. */
function watchChanges(scene: Scene): () => readonly string[] {
  let changes: string[] = [];
  scene.watch((where, deed) => void changes.push(`${where}: ${deed}`));
  return () => {
    const seen = changes;
    changes = [];
    return seen;
  };
}

/** A plan, which must leave no trace. */
async function planned(scene: Scene, document: LabDocument, changes: () => readonly string[]): Promise<Plan> {
  changes();
  const rows = scene.rowsWritten();
  const plan = await scene.plan(document);
  expect({ written: scene.rowsWritten() - rows, changes: changes() }).toEqual({ written: 0, changes: [] });
  return plan;
}

async function requireNothingToDo(scene: Scene, document: LabDocument, changes: () => readonly string[]) {
  const plan = await planned(scene, document, changes);
  const failed = scene.hub.releases.rollouts(undefined, 10).filter(({ state }) => state === "failed");
  const why = failed.map(({ service, reason }) => `${service}: ${reason}`).join("; ");
  expect(
    plan.steps.map(({ id, reason }) => `${id}: ${reason}`),
    why,
  ).toEqual([]);
}

const examples = resolve(import.meta.dirname, "../../../../examples");

test.each(readdirSync(examples))("nothing is left to do after examples/%s was applied", async (name) => {
  const loaded = await loadLab(resolve(examples, name), { clock: systemClock });
  if (loaded.kind === "rejected") throw new Error(JSON.stringify(loaded.diagnostics));
  await using scene = makeScene();
  const changes = watchChanges(scene);
  for (const secret of Object.keys(loaded.document.secrets)) scene.secrets.set(secret, 1);
  await scene.begin(loaded.document);
  await scene.settle();
  await requireNothingToDo(scene, loaded.document, changes);
  expect(scene.hub.control.status().map(({ state }) => state)).toEqual(
    scene.hub.control.services().map(() => "healthy"),
  );
});

type Deed =
  | { readonly do: "edit"; readonly lab: LabDocument }
  | { readonly do: "stop" | "start" | "restart" | "deploy" | "rollback"; readonly service: number }
  | { readonly do: "scale"; readonly service: number; readonly to: number | undefined }
  | { readonly do: "crash" | "take away" | "change by hand"; readonly instance: number }
  | { readonly do: "add"; readonly like: number; readonly what: "an extra one" | "a stale one" | "a stranger's" }
  | { readonly do: "cut off" | "bring back" | "forget routes"; readonly machine: string }
  | { readonly do: "kill the hub" | "give the secret" };

const nth = fc.nat(20);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("edit" as const), lab: generatedLab }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("stop" as const, "start", "restart", "deploy", "rollback"),
      service: nth,
    }),
  },
  fc.record({
    do: fc.constant("scale" as const),
    service: nth,
    to: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  }),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("crash" as const, "take away", "change by hand"), instance: nth }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      like: nth,
      what: fc.constantFrom("an extra one" as const, "a stale one", "a stranger's"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("cut off" as const, "bring back", "forget routes"),
      machine: fc.constantFrom(...engines),
    }),
  },
  fc.record({ do: fc.constantFrom("kill the hub" as const, "give the secret") }),
);

interface Standing {
  readonly machine: string;
  readonly instance: Instance;
}

const signal = new AbortController().signal;

async function everything(scene: Scene): Promise<readonly Standing[]> {
  const here = (await scene.processes.list(signal)).map((instance) => ({ machine: "", instance }));
  const there = engines.map(async (machine) =>
    (await scene.machine(machine).runtime.list(signal)).map((instance) => ({ machine, instance })),
  );
  return [...here, ...(await Promise.all(there)).flat()];
}

const isOurs = ({ instance }: Standing) => instance.labels.lab === "generated";
const runtimeOf = (scene: Scene, machine: string) =>
  machine === "" ? scene.processes : scene.machine(machine).runtime;

let added = 0;

async function act(scene: Scene, document: LabDocument, one: Deed, strangers: Set<string>): Promise<LabDocument> {
  const { control, releases } = scene.hub;
  const services = control.services();
  const key = "service" in one ? services[one.service % Math.max(1, services.length)]?.key : undefined;
  const [environment = "", service = ""] = key?.split("/") ?? [];
  const running = (await everything(scene)).filter((other) => isOurs(other) && other.instance.state === "running");
  switch (one.do) {
    case "edit":
      scene.take(one.lab);
      return one.lab;
    case "stop":
    case "start":
    case "restart":
      if (key !== undefined) releases[one.do](key, byHand);
      break;
    case "deploy":
      if (key !== undefined) releases.deploy({ environment, service }, byHand);
      break;
    case "rollback":
      if (key !== undefined) releases.rollback({ environment, service }, undefined, byHand);
      break;
    case "scale": {
      const wanted = services.find((other) => other.key === key);
      const many = one.to !== undefined && one.to > 1;
      if (wanted && !(many && wanted.stopFirst)) releases.scale(wanted.key, one.to, byHand);
      break;
    }
    case "crash":
    case "change by hand":
    case "take away": {
      const victim = running[one.instance % Math.max(1, running.length)];
      if (!victim) break;
      const runtime = runtimeOf(scene, victim.machine);
      if (one.do === "change by hand") runtime.alter(victim.instance.id);
      else runtime.crash(victim.instance.id);
      if (one.do === "take away") await runtime.remove(victim.instance.id, signal);
      break;
    }
    case "add":
      await add(scene, running[one.like % Math.max(1, running.length)], one.what, strangers);
      break;
    case "cut off":
      scene.machine(one.machine).trouble = new Fault("unreachable", "the cable is cut");
      break;
    case "bring back":
      scene.machine(one.machine).trouble = undefined;
      // It is asked again within half a minute, and what waited for it begins.
      await scene.pass(31_000);
      break;
    case "forget routes":
      await scene.machine(one.machine).ingress.apply([], signal);
      // It is looked after every half minute.
      await scene.pass(31_000);
      break;
    case "kill the hub":
      await scene.end();
      await scene.begin(document);
      break;
    case "give the secret":
      scene.secrets.set("WORD", (scene.secrets.get("WORD") ?? 0) + 1);
      // It counts from the next apply on.
      scene.take(document);
      break;
  }
  return document;
}

/** Something that nobody wanted stands beside one that is wanted. */
async function add(
  scene: Scene,
  like: Standing | undefined,
  what: Extract<Deed, { do: "add" }>["what"],
  strangers: Set<string>,
) {
  if (!like) return;
  const { machine, instance } = like;
  const isStranger = what === "a stranger's";
  // An engine may be that of several hubs; the hub's own processes are its own.
  if (machine === "" && isStranger) return;
  const labels = {
    ...instance.labels,
    ...(what === "a stale one" ? { spec: "0123456789abcdef", release: undefined } : {}),
    ...(isStranger ? { lab: "somebody-elses" } : {}),
  };
  const workload =
    machine === "" ? { kind: "process", command: ["x"], folder: "/" } : { kind: "image", reference: "x" };
  const id = `ins_added_${String(added++).padStart(6, "0")}`;
  await runtimeOf(scene, machine).start({ id, labels, workload, environment: {}, limits: {} } as never, signal);
  if (isStranger) strangers.add(id);
}

/** Services that can be there, and are to be: those that need others only with them. */
function expected(scene: Scene): readonly WantedService[] {
  const services = scene.hub.control.services();
  const byKey = new Map(services.map((service) => [service.key, service]));
  const states = new Map(scene.hub.control.status().map((one) => [`${one.environment}/${one.service}`, one.state]));
  const canRun = (service: WantedService | undefined): boolean =>
    service !== undefined &&
    service.replicas > 0 &&
    service.unsupported === undefined &&
    service.held === undefined &&
    states.get(service.key) !== "gave up" &&
    service.needs.every((need) => canRun(byKey.get(need)));
  return services.filter(canRun);
}

/** What the lab has no more and yet stays: what an earlier release needs that still runs, and what that needs in turn. */
function stillNeeded(scene: Scene, ours: readonly Standing[], isWanted: (key: string) => boolean): ReadonlySet<string> {
  const known = new Set(ours.map(({ instance }) => instanceKey(instance)).filter(isWanted));
  for (const key of known) {
    const standing = ours.filter(({ instance }) => instance.state === "running" && instanceKey(instance) === key);
    for (const { instance } of standing) {
      const release = scene.hub.releases.byId(instance.labels.release ?? "");
      for (const need of release?.resolved.needs ?? []) known.add(need);
    }
  }
  return known;
}

async function requireWorld(scene: Scene, document: LabDocument, strangers: ReadonlySet<string>) {
  expect(scene.clashes).toEqual([]);
  const all = await everything(scene);
  const ours = all.filter(isOurs);
  const wanted = new Map(scene.hub.control.services().map((service) => [service.key, service]));
  for (const { key, spec, replicas, machine, container } of expected(scene)) {
    const standing = ours.filter(({ instance }) => instanceKey(instance) === key);
    expect(
      standing
        .map((one) => [one.machine, one.instance.state, one.instance.labels.spec, one.instance.labels.replica])
        .sort(),
      key,
    ).toEqual(Array.from({ length: replicas }, (_, at) => [container ? machine : "", "running", spec, at]));
  }
  const canRun = new Set(expected(scene).map(({ key }) => key));
  const needed = stillNeeded(scene, ours, (key) => (wanted.get(key)?.replicas ?? 0) > 0);
  for (const one of ours) {
    // Where what it needs is not there, nothing takes its place.
    if (canRun.has(instanceKey(one.instance))) expect(one.instance.altered).toBeUndefined();
    const service = wanted.get(instanceKey(one.instance));
    const stays = service === undefined ? needed.has(instanceKey(one.instance)) : service.replicas > 0;
    expect(stays, `${instanceKey(one.instance)} on ${one.machine} may be there`).toBe(true);
  }
  const foreign = all.filter((one) => !isOurs(one) && one.instance.state === "running");
  expect(new Set(foreign.map(({ instance }) => instance.id))).toEqual(strangers);
  await requireRoutes(scene, document, ours);
}

async function requireRoutes(scene: Scene, { machines }: LabDocument, ours: readonly Standing[]) {
  const running = new Set(ours.flatMap(({ instance }) => (instance.state === "running" ? [instance.id] : [])));
  // One that the lab does not name any more is told within half a minute.
  const isNamed = machines.south?.ingress?.kind === "caddy";
  const caddy = isNamed ? (await scene.machine("south").ingress.status(signal)).routes : [];
  const own = (await scene.own.status(signal)).routes;
  const lost = (routes: readonly IngressRoute[]) =>
    routes.flatMap(({ targets }) => targets.map(({ instance }) => instance)).filter((id) => !running.has(id));
  expect([lost(own), lost(caddy)]).toEqual([[], []]);
  for (const { key, route, replicas } of expected(scene)) {
    if (route === undefined) continue;
    const leads = [...own, ...caddy].filter(({ match }) => match.kind === "host" && match.host === route);
    expect(
      leads.map(({ service, targets }) => [service, targets.length]),
      `the route of ${key}`,
    ).toEqual([[key, replicas]]);
  }
}

async function live(first: LabDocument, deeds: readonly Deed[]): Promise<void> {
  await using scene = makeScene();
  const changes = watchChanges(scene);
  scene.secrets.set("WORD", 1);
  await scene.begin(first);
  let document = first;
  const strangers = new Set<string>();
  const isCut = () => engines.some((machine) => scene.machine(machine).trouble !== undefined);
  /** As `fed apply` does. */
  const apply = async () => {
    // Whoever was away is asked again within half a minute, and its ingress looked after within another one.
    await scene.pass(61_000);
    scene.take(document);
    scene.hub.retry(byHand);
  };
  const check = async () => {
    await scene.settle();
    // What failed for a machine that is away is in the plan, to be tried again.
    if (isCut()) return void (await planned(scene, document, changes));
    await requireNothingToDo(scene, document, changes);
    await requireWorld(scene, document, strangers);
  };
  await check();
  for (const one of deeds) {
    try {
      const wasCut = isCut();
      document = await act(scene, document, one, strangers);
      if (wasCut && !isCut()) await apply();
    } catch (thrown) {
      // Refused, as it may be; a defect is no refusal.
      if (!isFault(thrown) || thrown.code === "internal") throw thrown;
    }
    await check();
  }
  for (const machine of engines) scene.machine(machine).trouble = undefined;
  await apply();
  await check();
}

/** `FED_PROOF=1` for as many as the promise names. */
const isProof = process.env.FED_PROOF === "1";
/** The same labs in each run of CI, where nobody can mend what is seldom; any others for the proof. */
const cases = isProof ? { numRuns: 500 } : { numRuns: 40, seed: 6 };

test("nothing is left to do after any lab was applied, whatever was done to it before", async () => {
  await fc.assert(fc.asyncProperty(generatedLab, fc.array(deed, { maxLength: 6 }), live), cases);
}, 3_600_000);
