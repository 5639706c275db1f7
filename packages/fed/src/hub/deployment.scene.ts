import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { hashText, type LabDocument, printLab } from "@fed/lab";
import type { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeRedactor } from "#base/redact.ts";
import { silentTrace } from "#base/trace.ts";
import type { Plan } from "#engine/reconcile/plan.ts";
import { type FakeImages, makeFakeImages, makeFakeRegistry } from "#port/image.fake.ts";
import { type FakeIngress, makeFakeIngress } from "#port/ingress.fake.ts";
import type { Ingress } from "#port/ingress.ts";
import { makeFakeProbe } from "#port/probe.fake.ts";
import { type FakeRuntime, makeFakeRuntime } from "#port/runtime.fake.ts";
import type { InstanceSpec } from "#port/runtime.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import { openTestControl } from "./db/control.fake.ts";
import { type Deployment, openDeployment } from "./deployment.ts";
import { type Origin, openEventLog } from "./event/verbs.ts";
import { acceptLab } from "./lab/verbs.ts";
import { carryImage } from "./release/carry.ts";

/**
 * Deploying as a hub opens it, releases, services, sites and routes and all, on a database of its own; only what is outside of the
 * hub is in memory: engines, images, ingresses, probes, and time.
 */

export const byHand: Origin = { actor: "user:ada", correlation: "cor_hand" };

const signal = new AbortController().signal;

export interface SceneMachine {
  /** As the hub opened it last. */
  runtime: FakeRuntime;
  readonly images: FakeImages;
  /** Of its own, where the lab says so. */
  readonly ingress: FakeIngress;
  /** Undefined: it answers. */
  trouble: Fault | undefined;
}

/** What is called before each call of a port that changes something outside; may throw in its place. */
export type OnChange = (where: string, deed: string) => void | Promise<void>;

const deeds = {
  runtime: ["start", "stop", "remove", "removeVolume", "hostAddress"],
  images: ["pull", "build", "load", "push", "remove"],
  ingress: ["apply", "drain"],
} as const;

export function makeScene() {
  const control = openTestControl();
  const clock = handClock();
  const trace = silentTrace;
  const events = openEventLog({ db: control.db, clock, trace });
  const registry = makeFakeRegistry();
  const probe = makeFakeProbe(clock);
  const machines = new Map<string, SceneMachine>();
  const secrets = new Map<string, number>();
  const own = makeFakeIngress(clock);
  let processes = makeFakeRuntime({ clock, workloads: ["process"] });
  let onChange: OnChange = () => {};
  let document: LabDocument | undefined;
  let hub: Deployment | undefined;

  const machine = (name: string): SceneMachine => {
    const known = machines.get(name) ?? {
      runtime: makeFakeRuntime({ clock, workloads: ["image"] }),
      images: makeFakeImages({ registry }),
      ingress: makeFakeIngress(clock),
      trouble: undefined,
    };
    machines.set(name, known);
    return known;
  };

  /** Whatever the lab names is there to be pulled and built. */
  function imagesOf(name: string): FakeImages {
    const { images } = machine(name);
    const fetch = (what: string, inner: AbortSignal) => {
      const reference = `${registry.address}/${hashText(what).slice(0, 12)}`;
      if (!registry.images.has(reference)) registry.publish(reference);
      return images.pull(reference, undefined, () => {}, inner);
    };
    return {
      ...images,
      pull: (reference, _login, _onProgress, inner) => fetch(reference, inner),
      build: ({ folder }, _onProgress, inner) => fetch(folder, inner),
    };
  }

  /** Two that write one volume, or have one port of the machine, side by side. */
  const clashes: string[] = [];
  const watched = (runtime: FakeRuntime): FakeRuntime => ({
    ...runtime,
    async start(spec, inner) {
      const ids = new Set((await runtime.list(inner)).flatMap(({ id, state }) => (state === "running" ? [id] : [])));
      const beside = runtime.started.filter(({ id }) => ids.has(id)).flatMap(aloneIn);
      for (const thing of aloneIn(spec)) if (beside.includes(thing)) clashes.push(`${spec.labels.service}: ${thing}`);
      return runtime.start(spec, inner);
    },
  });

  const told = <P extends object>(where: string, port: P, names: readonly (keyof P & string)[]): P =>
    tellOf(port, names, (deed) => onChange(where, deed));

  const reached = <P extends object>(name: string, port: P): P =>
    tellOf(port, ["list", "stats", "run", ...deeds.runtime] as unknown as readonly (keyof P & string)[], () => {
      const { trouble } = machine(name);
      if (trouble) throw trouble;
    });

  function open(): Deployment {
    processes = processes.reopen();
    const gates = new Map<string, { readonly ingress: Ingress; readonly machine: string }>();
    return openDeployment({
      ...{ db: control.db, events, clock, trace, probe, inherited: {}, dataFolder: control.folder },
      // Git is not there, which is known at once: a shell in memory takes turns that are not on the clock.
      here: { ...makeFakeShell(clock), run: async () => noGit },
      ...{ redactor: makeRedactor(), carry: carryImage },
      logs: { keep: async () => {} },
      processes: told("hub", watched(processes), deeds.runtime),
      ingress: told("hub", own, deeds.ingress),
      secrets: { versionsOf: () => secrets, reveal: async () => "hunter2", read: async () => "hunter2", forget() {} },
      isMachine: (name) => document?.machines[name] !== undefined,
      urlOf: () => undefined,
      follow: () => () => () => {},
      openShell: (name) => ({ shell: makeFakeShell(clock, name), local: true }),
      async openEngine(name) {
        const found = machine(name);
        if (found.trouble) throw found.trouble;
        found.runtime = found.runtime.reopen();
        return {
          runtime: reached(name, told(name, watched(found.runtime), deeds.runtime)),
          images: told(name, imagesOf(name), deeds.images),
        };
      },
      gateOf(name) {
        if (document?.machines[name]?.ingress?.kind !== "caddy") return undefined;
        const known = gates.get(name) ?? {
          ingress: told(name, machine(name).ingress, deeds.ingress),
          machine: name,
        };
        gates.set(name, known);
        return known;
      },
      onProgress() {},
      onChange() {},
    });
  }

  function requireHub(): Deployment {
    if (hub) return hub;
    throw new Error("no hub is open");
  }

  const labOf = (of: LabDocument) => ({ document: of, folder: "/lab", hash: hashText(printLab(of)) });

  /** The lab's file says this from now on. */
  function take(next: LabDocument, origin: Origin = { actor: "file", correlation: `cor_${randomUUID()}` }) {
    const deployment = requireHub();
    document = next;
    const file = "/lab/lab.ts";
    const loaded = { kind: "loaded", ...labOf(next), file, text: printLab(next), files: [file] } as const;
    acceptLab({ events, clock }, origin, { ...loaded, warnings: [], printed: "" }, (lab) =>
      deployment.partsOf(lab, origin),
    );
  }

  /** Lets time pass, and files their turns. */
  async function pass(ms: number) {
    for (let left = ms; left > 0; left -= stepMs) {
      await clock.turn(Math.min(left, stepMs));
      await nextTurn();
    }
  }

  async function whilePassing<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    ended.catch(() => undefined);
    while (!done) await pass(stepMs);
    return ended;
  }

  return {
    ...{
      db: control.db,
      folder: control.folder,
      clock,
      events,
      registry,
      probe,
      machines,
      machine,
      secrets,
      take,
      pass,
      own,
    },
    clashes,
    get hub() {
      return requireHub();
    },
    get processes() {
      return processes;
    },
    /** From now on this hears of each change that the hub makes outside. */
    watch(listener: OnChange) {
      onChange = listener;
    },
    /** A hub begins, as after `fed up`. */
    async begin(first: LabDocument) {
      document = first;
      hub = open();
      take(first);
      await whilePassing(hub.begin(signal));
    },
    /** It is gone without having ended anything; what runs goes on. */
    async end() {
      const gone = hub;
      hub = undefined;
      if (gone) await whilePassing(gone.close());
    },
    /** Until nothing moves by itself any more, within so much time. */
    async settle(limitMs = 10 * 60_000) {
      let quietMs = 0;
      for (let spentMs = 0; quietMs < quietEnoughMs; spentMs += stepMs) {
        if (spentMs > limitMs) throw new Error(`it does not come to rest within ${limitMs / 60_000} min`);
        await pass(stepMs);
        const { control: services, releases } = requireHub();
        const waits = services.status().some(({ state }) => state === "backing off");
        quietMs = services.loop.busy || releases.preparing || waits ? 0 : quietMs + stepMs;
      }
    },
    /** What `fed plan` shows of this lab. */
    plan(of: LabDocument): Promise<Plan> {
      const { control: services, preview } = requireHub();
      return whilePassing(services.plan(preview(labOf(of)), signal));
    },
    /** How many rows were ever written. */
    rowsWritten: () => control.db.prepare("SELECT total_changes() AS n", ({ n }) => Number(n)).first() ?? 0,
    async [Symbol.asyncDispose]() {
      await this.end();
      events.close();
      control[Symbol.dispose]();
    },
  };
}

export type Scene = ReturnType<typeof makeScene>;

const noGit = { kind: "exited", code: 127, stdout: "", stderr: "", cut: false, tookMs: 0 } as const;
const stepMs = 250;
const quietEnoughMs = 2 * stepMs;

/** What only one instance of a machine can have. */
function aloneIn({ port, container, labels }: InstanceSpec): readonly string[] {
  const { hostPort, mounts = [] } = container ?? {};
  const written = mounts.flatMap((mount) =>
    mount.kind === "volume" && !mount.readOnly ? [`volume ${mount.name}`] : [],
  );
  const ports = [port, hostPort].flatMap((one) => (one === undefined ? [] : [`port ${one}`]));
  return [...written, ...ports].map((thing) => `${labels.lab} ${thing}`);
}

/** The same port, of whose named calls somebody is told before. */
function tellOf<P extends object>(
  port: P,
  names: readonly (keyof P & string)[],
  tell: (name: string) => void | Promise<void>,
): P {
  return new Proxy(port, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function" || !names.includes(name as keyof P & string)) return value;
      return async (...args: readonly unknown[]) => {
        await tell(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
}
