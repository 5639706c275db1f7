import { setImmediate } from "node:timers/promises";
import { hashText, type LabDocument, printLab } from "@fed/lab";
import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeRedactor } from "#base/redact.ts";
import { silentTrace } from "#base/trace.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { type FakeImages, makeFakeImages, makeFakeRegistry } from "#port/image.fake.ts";
import { type FakeIngress, makeFakeIngress } from "#port/ingress.fake.ts";
import { makeFakeProbe } from "#port/probe.fake.ts";
import { type FakeBehaviour, type FakeRuntime, makeFakeRuntime } from "#port/runtime.fake.ts";
import type { Instance } from "#port/runtime.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import { type Deployment, openDeployment } from "./deployment.ts";
import { type EventLog, openEventLog } from "./event/verbs.ts";
import { acceptLab } from "./lab/verbs.ts";
import { carryImage } from "./release/carry.ts";
import {
  endOf,
  type Line,
  mortal,
  mortalClock,
  mortalDatabase,
  mortalImages,
  mortalIngress,
  mortalRuntime,
  never,
} from "./walk-mortal.scene.ts";

/**
 * For tests that walk through every step of a release: the real nouns release and service, wired as the hub wires them, on a real
 * database and a world in memory that goes on without them. Each call of a port and each transaction is a step, at which a test may
 * let the hub die, leave it without an answer, or do something else.
 */

/** What becomes of the hub, or of the call, at a step. */
export type Fate =
  | "goes on"
  /** Killed before the world has heard of it. */
  | "dies before"
  /** Killed when it was done, before the hub hears of it. */
  | "dies after"
  /** Nobody answers until it is broken off. */
  | "is never answered";

/** Of one hub; what needs more runs in circles. */
const mostSteps = 2_000;

/** One call of a port or one transaction: what was called, and which one of all it was, from 1. */
export interface Crossing {
  readonly count: number;
  readonly what: string;
}

export type Decide = (crossing: Crossing) => Fate;

export const goesOn: Decide = () => "goes on";

const machines = ["hub", "node5"] as const;
export const host = "shop.localhost";
export const reference = "registry.example:5000/shop:1";

/** Everything that outlives a hub. `gate`: who leads people in, the hub's own ingress or one of the machine. */
export function makeWalkWorld({ gate }: { readonly gate: "of the hub" | "of the machine" }) {
  const control = openTestControl();
  const clock = handClock();
  const registry = makeFakeRegistry();
  const behave = (spec: { readonly environment: Readonly<Record<string, string>> }): FakeBehaviour => {
    if (spec.environment.FATE === "crashes") return { prints: ["no database"], ends: { code: 3 } };
    return { onTerm: "ignores" };
  };
  const runtimes: Record<string, FakeRuntime> = { "": makeFakeRuntime({ clock, behave, workloads: ["process"] }) };
  const images: Record<string, FakeImages> = {};
  const shared = makeFakeIngress(clock);
  const spins: string[] = [];
  for (const name of machines) {
    runtimes[name] = makeFakeRuntime({ clock, behave, workloads: ["image"] });
    images[name] = makeFakeImages({ registry });
  }
  const foreign = "somebody else's";
  const all = async (): Promise<readonly Instance[]> => {
    const lists = Object.values(runtimes).map((one) => one.list(new AbortController().signal));
    return (await Promise.all(lists)).flat();
  };
  const environmentOf = (id: string) =>
    Object.values(runtimes)
      .flatMap(({ started }) => started)
      .find((one) => one.id === id)?.environment;
  return {
    ...{ clock, registry, runtimes, images, shared, spins, all, environmentOf, foreign, gate },
    db: control.db,
    folder: control.folder,
    async addForeign() {
      const labels = { lab: foreign, environment: "dev", service: "shop", spec: "theirs", replica: 0 };
      const spec = { id: "ins_theirs", labels, workload: { kind: "image", reference: "sha256:1" } } as const;
      await runtimes.hub?.start({ ...spec, environment: {}, limits: {} }, new AbortController().signal);
    },
    [Symbol.dispose]: () => control[Symbol.dispose](),
  };
}

export type WalkWorld = ReturnType<typeof makeWalkWorld>;

/** One hub, from its start to its death. */
export interface Life {
  readonly deployment: Deployment;
  readonly events: EventLog;
  /** Who leads people in: its own, and that of the machine. */
  readonly ingresses: readonly FakeIngress[];
  readonly dead: boolean;
  /** It has taken over what ran. */
  readonly begun: boolean;
  /** Every step it has crossed, in their order. */
  readonly crossed: readonly string[];
  /** From now on this decides. */
  decide(by: Decide): void;
  /** Takes a lab as its desk does. */
  take(document: LabDocument): void;
  /** Ends it without a word. */
  kill(): void;
}

/** Opens a hub on the world. */
export function openLife(world: WalkWorld, document: LabDocument, first: Decide = goesOn): Life {
  const crossed: string[] = [];
  let decide = first;
  let isDead = false;
  let begun = false;
  const next = (what: string): Fate => {
    crossed.push(what);
    if (crossed.length > mostSteps) line.spins(crossed.slice(-20).join(", "));
    return decide({ count: crossed.length, what });
  };
  const line: Line = {
    get dead() {
      return isDead;
    },
    spins(how) {
      isDead = true;
      world.spins.push(how);
    },
    async cross(what, work, signal) {
      if (isDead) return never();
      const fate = next(what);
      if (fate === "dies before") isDead = true;
      if (fate === "is never answered" && signal) return untilAborted(never(), signal);
      if (fate === "is never answered" || isDead) return never();
      const result = await endOf(work());
      if (fate === "dies after") isDead = true;
      if (isDead) return never();
      if (result.kind === "failed") throw result.thrown;
      return result.value;
    },
    commit(work, undo) {
      if (isDead) return undo(work);
      const fate = next("a transaction");
      isDead = fate === "dies before" || fate === "dies after";
      return fate === "dies before" ? undo(work) : work();
    },
  };
  const clock = mortalClock(world.clock, line);
  const own = makeFakeIngress(world.clock);
  const events = openEventLog({ db: mortalDatabase(world.db, line), clock, trace: silentTrace });
  const deployment = openMortal(world, line, { clock, events, own });
  let born = 0;
  const take = (next: LabDocument) => {
    const text = printLab(next);
    const loaded = { document: next, hash: hashText(text), text, file: "/lab/lab.ts", folder: "/lab", files: [] };
    const origin = { actor: "file", correlation: `cor_${born++}` };
    const lab = { kind: "loaded", ...loaded, printed: "", warnings: [] } as const;
    acceptLab({ events, clock }, origin, lab, (one) => deployment.partsOf(one, origin));
  };
  take(document);
  deployment.begin(new AbortController().signal).then(
    () => {
      begun = true;
    },
    () => {
      isDead = true;
    },
  );
  return {
    ...{ deployment, events, crossed, take },
    ingresses: [own, world.shared],
    get dead() {
      return isDead;
    },
    get begun() {
      return begun;
    },
    decide(by) {
      decide = by;
    },
    kill() {
      isDead = true;
    },
  };
}

function openMortal(
  world: WalkWorld,
  line: Line,
  { clock, events, own }: { readonly clock: Clock; readonly events: EventLog; readonly own: FakeIngress },
): Deployment {
  const { gate, runtimes, images } = world;
  const need = <T>(found: T | undefined): T => {
    if (found === undefined) throw new Fault("unreachable", "there is no such machine");
    return found;
  };
  const probe = makeFakeProbe(clock);
  probe.answer(async (question) => {
    if (line.dead) return never();
    if (question.kind === "command") return "healthy";
    const at = (await world.all()).find(
      ({ state, address }) => state === "running" && address.port === question.address.port,
    );
    if (at === undefined) return "refused";
    return world.environmentOf(at.id)?.FATE === "hangs" ? "hang" : "healthy";
  });
  const shell = makeFakeShell(clock, "hub");
  const machineGate = { ingress: mortalIngress(world.shared, line, "caddy"), machine: "hub" };
  return openDeployment({
    ...{ db: mortalDatabase(world.db, line), events, clock, trace: silentTrace, probe, dataFolder: world.folder },
    processes: mortalRuntime(need(runtimes[""]).reopen(), line, "processes"),
    ingress: mortalIngress(own, line, "ingress"),
    gateOf: (machine) => (gate === "of the machine" && machine === "hub" ? machineGate : undefined),
    here: mortal(shell, line, ["run"], "git"),
    openShell: (name) => ({ shell: makeFakeShell(clock, name), local: true }),
    openEngine: (name) =>
      line.cross(`${name}.connect`, async () => ({
        runtime: mortalRuntime(need(runtimes[name]).reopen(), line, name),
        images: mortalImages(need(images[name]), line, name),
      })),
    logs: {
      keep: (_ended, lines) =>
        line.cross("logs.keep", async () => {
          for await (const _ of lines);
        }),
    },
    secrets: { versionsOf: () => new Map(), reveal: async () => "", read: async () => "", forget() {} },
    ...{ redactor: makeRedactor(), inherited: {}, carry: carryImage, urlOf: () => undefined },
    isMachine: (name) => machines.some((one) => one === name),
    follow: () => () => () => {},
    onProgress() {},
    onChange() {},
  });
}

/** Lets time pass until the hub has nothing to do, or is dead. Answers whether that came to be within the time. */
export async function live(
  world: WalkWorld,
  life: Life,
  limitMs: number,
  look: () => Promise<void> = async () => {},
): Promise<boolean> {
  const beganMs = world.clock.tickMs();
  for (;;) {
    // What goes over streams needs a turn of the machine's own.
    for (let turn = 0; turn < 3; turn++) {
      await world.clock.turn(0);
      await setImmediate();
    }
    await look();
    if (world.spins.length > 0) throw new Error(`a hub that turns without end: ${world.spins.join("\n")}`);
    if (life.dead || isIdle(life)) return true;
    const pastMs = world.clock.tickMs() - beganMs;
    if (pastMs >= limitMs) return false;
    await world.clock.turn(pastMs < 30_000 ? 500 : 30_000);
  }
}

function isIdle({ begun, deployment: { control, releases } }: Life): boolean {
  return begun && !control.loop.busy && releases.open().length === 0;
}
