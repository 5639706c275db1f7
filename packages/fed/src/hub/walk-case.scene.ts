import { build, defineLab, http, image, type LabDocument, process, server } from "@fed/lab";
import { expect } from "vitest";
import type { Origin } from "./event/verbs.ts";
import { host, type Life, live, makeWalkWorld, openLife, reference, type WalkWorld } from "./walk.scene.ts";

/** What happens to a service while the hub is killed, left without an answer, or told to stop: and what must have come of it. */

export interface WalkCase {
  readonly name: string;
  readonly before: LabDocument;
  /** Done to a hub under which `before` serves. */
  deed(life: Life, world: WalkWorld): void;
  /** The lab of every hub after it. */
  readonly after: LabDocument;
  /** The release that serves in the end when the deed was done; undefined: the service is gone. */
  readonly becomes: number | undefined;
  /** Of the hub that serves `before`; a deed that was lost with its hub leaves that. */
  readonly lost?: number;
  /** How the deed's rollout ends. */
  readonly ends: "done" | "failed" | "no rollout";
  /** The old one has to end before the new one begins, or there is no old one. */
  readonly gap?: boolean;
}

export const place = { environment: "dev", service: "shop" };
export const key = "dev/shop";
export const person: Origin = { actor: "user:ada", correlation: "cor_ada" };

interface Said {
  readonly kind?: "process" | "image" | "build";
  readonly greeting?: string;
  readonly fate?: "crashes" | "hangs" | "lives";
  readonly replicas?: number;
  readonly on?: "hub" | "node5";
  readonly volume?: boolean;
}

/** `folder`: of what is built. */
function labWith(
  { kind = "image", greeting = "one", fate = "lives", replicas = 2, on = "hub", volume }: Said,
  folder = "",
) {
  const run = { process: process("node shop.mjs"), image: image(reference), build: build(folder) }[kind];
  return defineLab({
    name: "walk",
    machines: { hub: server({ address: "local" }), node5: server({ address: "10.0.0.5" }) },
    environments: { dev: { machines: ["hub", "node5"] } },
    services: {
      other: { run: process("node other.mjs"), health: http("/", { every: "10s" }), route: "other.localhost" },
      shop: {
        ...{ run, on, replicas, route: host, stopGrace: "2s", env: { GREETING: greeting, FATE: fate } },
        health: http("/", { every: "10s", timeout: "1s", within: "3s" }),
        ...(kind === "process" ? {} : { port: 8080 }),
        ...(volume ? { volumes: { data: { at: "/data" } } } : {}),
      },
    },
  });
}

const withoutShop = defineLab({
  name: "walk",
  machines: { hub: server({ address: "local" }), node5: server({ address: "10.0.0.5" }) },
  environments: { dev: { machines: ["hub", "node5"] } },
  services: {
    other: { run: process("node other.mjs"), health: http("/", { every: "10s" }), route: "other.localhost" },
  },
});

const edit = (name: string, before: LabDocument, after: LabDocument, more: Partial<WalkCase> = {}): WalkCase => ({
  ...{ name, before, after, becomes: 2, ends: "done" },
  deed: (life) => life.take(after),
  ...more,
});

const one = labWith({});
const two = labWith({ greeting: "two" });
const single = (said: Said) => labWith({ ...said, replicas: 1, volume: true });

export const cases: readonly WalkCase[] = [
  edit("an edit of processes", labWith({ kind: "process" }), labWith({ kind: "process", greeting: "two" })),
  edit("an edit of containers", one, two),
  edit("a service that is new", withoutShop, one, { becomes: 1, gap: true }),
  edit("a service that is taken out", one, withoutShop, { becomes: undefined, ends: "no rollout", gap: true }),
  edit("fewer replicas", labWith({ replicas: 3 }), labWith({ replicas: 1 }), { becomes: 1, ends: "no rollout" }),
  // The hub's own ingress leads there, which ends with it.
  edit("a move to another machine", one, labWith({ on: "node5" }), { gap: true }),
  edit("a release that crashes", one, labWith({ fate: "crashes" }), { becomes: 1, ends: "failed" }),
  edit("a release that is never healthy", one, labWith({ fate: "hangs" }), { becomes: 1, ends: "failed" }),
  edit("one that has to stop first", single({}), single({ greeting: "two" }), { gap: true }),
  edit("one that has to stop first, and crashes", single({}), single({ fate: "crashes" }), {
    ...{ becomes: 1, ends: "failed", gap: true },
  }),
  {
    ...{ name: "a deploy of a new image", before: one, after: one, becomes: 2, lost: 1, ends: "done" },
    deed({ deployment }, { registry }) {
      registry.publish(reference, { version: "2" });
      deployment.releases.deploy(place, person);
    },
  },
  {
    ...{ name: "a restart", before: one, after: one, becomes: 2, lost: 1, ends: "done" },
    deed: ({ deployment }) => deployment.releases.restart(key, person),
  },
];

/** Whom people are led to. */
const leads = ({ ingresses }: Life) =>
  ingresses.flatMap(({ applied }) => {
    const routes = (applied.at(-1) ?? []).filter(({ match }) => match.kind === "host" && match.host === host);
    return routes.flatMap(({ targets }) => targets);
  });

/** Everybody who serves has a request under way that takes long: who ends before it was given its time loses it. */
export function keepBusy(world: WalkWorld, life: Life): void {
  for (const { instance } of leads(life)) world.shared.setInFlight(instance, 1);
}

/** Who is led in to nobody, or to somebody who does not answer, is a lost request. */
export async function lostNow(world: WalkWorld, life: Life): Promise<string | undefined> {
  if (world.gate === "of the hub" && (life.dead || !life.begun)) return undefined;
  const running = new Set((await world.all()).flatMap(({ id, state }) => (state === "running" ? [id] : [])));
  const ids = leads(life).map(({ instance }) => instance);
  if (ids.length === 0) return "nobody is led to";
  const gone = ids.filter((id) => !running.has(id));
  if (gone.length > 0) return `${gone.join(", ")} is led to and does not run`;
  const { inFlight } = await world.shared.status(new AbortController().signal);
  const cut = Object.keys(inFlight).filter((id) => !running.has(id));
  return cut.length === 0 ? undefined : `${cut.join(", ")} was ended with a request under way`;
}

/** What must hold once a hub has nothing to do any more, whatever became of those before it. */
export async function expectWhole(world: WalkWorld, life: Life, told: string): Promise<void> {
  const { control, releases } = life.deployment;
  expect(releases.open(), told).toEqual([]);
  const wanted = releases.wanted.services.find((one) => one.key === key);
  const there = await world.all();
  expect(there.filter(({ labels }) => labels.lab === world.foreign).length, told).toBe(1);
  const ours = there.filter(({ labels }) => labels.service === "shop" && labels.lab === "walk");
  // No orphan: nothing but what is wanted is there, not even what has ended.
  expect(
    ours.map(({ labels, state }) => [labels.spec, state]),
    told,
  ).toEqual(
    Array.from({ length: wanted?.release === undefined ? 0 : wanted.replicas }, () => [wanted?.spec, "running"]),
  );
  expect(
    leads(life)
      .map(({ instance }) => instance)
      .sort(),
    told,
  ).toEqual(ours.map(({ id }) => id).sort());
  const plan = await control.plan(releases.wanted, new AbortController().signal);
  expect(
    plan.steps.map(({ id }) => id),
    told,
  ).toEqual([]);
  expectTold(life, told);
}

/** Its rows and its events say the same. */
function expectTold({ events, deployment: { releases } }: Life, told: string): void {
  const log = events.list({ types: [], subject: `service:${key}`, ...whole }).toReversed();
  const ends = log.flatMap((event) => {
    const { type } = event;
    const ended = type === "rollout.done" || type === "rollout.failed" || type === "rollout.cancelled";
    return ended ? [`${event.data.rollout} ${type}`] : [];
  });
  const rows = releases.rollouts(place, 50).map(({ id, state }) => `${id} rollout.${state}`);
  expect(ends.toSorted(), told).toEqual(rows.toSorted());
  const made = log.flatMap((event) => (event.type === "release.made" ? [event.data.number] : []));
  expect(made, told).toEqual(made.map((_, index) => index + 1));
}

const whole = { before: undefined, sinceMs: undefined, limit: 1_000 };

/** What the deed has come to. */
export function expectEnd(one: WalkCase, { deployment: { releases } }: Life, told: string): void {
  const number = releases.wanted.services.find((service) => service.key === key)?.release?.number;
  const rollouts = releases.rollouts(place, 50);
  const isLost = one.lost !== undefined && rollouts.length === 1;
  expect(number, told).toBe(isLost ? one.lost : one.becomes);
  if (isLost || one.ends === "no rollout") expect(rollouts.length, told).toBe(1);
  else expect(rollouts[0]?.state, told).toBe(one.ends);
}

/** Every fourth step, from another one each time; with `FED_PROOF=1` each. */
const proof = globalThis.process.env.FED_PROOF === "1";
export const stride = proof ? 1 : 4;
export const offset = Math.floor(Math.random() * stride);

/** Longer than all that has a deadline: an hour to roll out, another for what comes after it. */
const limitMs = 3 * 60 * 60_000;

/** A world in which this case has come to rest before it begins; `look` notes what is lost meanwhile. */
export async function begin(one: WalkCase) {
  const world = makeWalkWorld({ gate: "of the machine" });
  world.registry.publish(reference);
  await world.addForeign();
  const life = openLife(world, one.before);
  expect(await live(world, life, limitMs)).toBe(true);
  keepBusy(world, life);
  const lost = new Set<string>();
  const look = async () => {
    const why = await lostNow(world, life);
    if (why !== undefined && !one.gap) lost.add(why);
  };
  return { world, life, lost, look };
}

/** Until all has ended that has a deadline, and some turns more. */
export async function liveOn(world: WalkWorld, life: Life, look: () => Promise<void>): Promise<boolean> {
  const settled = await live(world, life, limitMs, look);
  for (let turn = 0; turn < 5; turn++) await live(world, life, limitMs, look);
  return settled;
}
