import { join, resolve } from "node:path";
import { hashText } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import type { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Trace } from "#base/trace.ts";
import { ensureFolder } from "#disk/folder.ts";
import type { Database, Reader } from "#disk/sqlite.ts";
import { crashed, type Failure, type History, holdOf } from "#engine/reconcile/backoff.ts";
import type { Desired, Hold, Step } from "#engine/reconcile/plan.ts";
import { openChecks } from "#hub/check/loop.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { AcceptedLab } from "#hub/lab/lab.ts";
import type { Part } from "#hub/lab/verbs.ts";
import { readSecret } from "#hub/secret/verbs.ts";
import type { Ingress } from "#port/ingress.ts";
import type { Probe } from "#port/probe.ts";
import type { Runtime } from "#port/runtime.ts";
import type { Progress } from "#wire/progress.ts";
import type { ServiceStatus } from "#wire/status.ts";
import { exitText } from "./exit.ts";
import { type Loop, openLoop, stepDeadlineMs } from "./loop.ts";
import { recordNews } from "./record.ts";
import { type ResolvedService, resolveLab } from "./service.ts";
import { statusOf } from "./status.ts";
import type { SpecRow } from "./store.ts";
import { askRestart, chooseDoors, handOutDoors, rememberedSpecs, rememberSpecs, restartsAsked } from "./verbs.ts";
import { instanceKey, World, type WorldNews } from "./world.ts";

export interface ControlOptions {
  readonly db: Database;
  readonly events: EventLog;
  readonly runtime: Runtime;
  readonly ingress: Ingress;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly dataFolder: string;
  /** Variables every service inherits. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Where people reach a host name of the ingress. */
  urlOf(host: string): string;
  onProgress(progress: Progress): void;
  /** Keeps how the runs of a loop go that turns by itself; see the scheduler. */
  follow(loop: { readonly name: string; readonly timeoutMs: number }): () => (failure?: string) => void;
  /** Something people see may have changed. */
  onChange(): void;
}

/** The services of the lab at run time: the wish, the world, and the loop that makes the one the other. */
export interface Control {
  readonly world: World;
  readonly loop: Loop;
  /** What it takes to make this lab the wish: recorded with the lab itself, and taken up once that is committed. */
  prepare(lab: AcceptedLab, origin: Origin): Part;
  /** What this lab would make wanted; remembers nothing. */
  desiredOf(lab: Pick<AcceptedLab, "document" | "folder" | "hash">): Desired;
  /** Replaces the instances of a service by new ones of the same version. */
  restart(key: string, origin: Origin): void;
  /** Tries again what was given up. */
  forgive(): void;
  /** From now on nothing is wanted to run. */
  leave(): void;
  services(): readonly ResolvedService[];
  /** Keys of what runs, by name. */
  running(): readonly string[];
  status(): readonly ServiceStatus[];
  /** Takes over what runs already, then begins. */
  begin(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Faults of a start that trying again does not heal. */
const finalCodes: ReadonlySet<Fault["code"]> = new Set(["missing", "denied", "unsupported", "invalid"]);

const adoptWithinMs = 3_000;

export function openControl(options: ControlOptions): Control {
  const { clock, trace, events, runtime, dataFolder } = options;
  const histories = new Map<string, History>();
  const crashes = new Map<string, number>();
  const healthySince = new Map<string, number>();
  const specs: Map<string, SpecRow> = rememberedSpecs(options.db);
  let lab: AcceptedLab | undefined;
  let services: readonly ResolvedService[] = [];
  let leaving = false;
  /** Of the wish that what happens now most likely follows from. */
  let correlation = "hub";

  const checks = openChecks({
    probe: options.probe,
    clock,
    // Each probe has the time its own check says.
    beginRun: options.follow({ name: "service.check", timeoutMs: 0 }),
    onChange: (id, state) => world.healthChanged(id, state),
  });
  const world = new World(
    {
      runtime,
      ingress: options.ingress,
      clock,
      inherited: options.inherited,
      prepare: (service) => prepareInstance(service, dataFolder, clock),
      contractOf: (spec) => specs.get(spec)?.contract,
      onNews,
    },
    checks,
  );
  const loop = openLoop({
    world,
    clock,
    trace,
    hash: hashText,
    desired: () => desiredFrom(lab?.hash ?? "", services),
    onFailed,
    onProgress: options.onProgress,
    beginRun: options.follow({ name: "service.reconcile", timeoutMs: stepDeadlineMs }),
  });
  const stop = new AbortController();

  function holdFor(service: ResolvedService): Hold | undefined {
    if (service.unsupported !== undefined) return { kind: "gaveUp", crashes: 0, last: service.unsupported };
    return holdOf(histories.get(service.key), service.spec, clock.nowMs());
  }

  function desiredFrom(hash: string, wanted: readonly ResolvedService[]): Desired {
    const earlier = Object.fromEntries([...specs.values()].map((row) => [row.hash, row.fields]));
    return {
      hash,
      earlier,
      services: wanted.map((service) => ({
        key: service.key,
        spec: service.spec,
        fields: service.fields,
        replicas: leaving || service.unsupported !== undefined ? 0 : service.replicas,
        needs: service.needs.filter((need) => need !== service.key),
        stopFirst: service.stopFirst,
        hold: holdFor(service),
      })),
    };
  }

  function fail(failed: Pick<Failure, "spec" | "reason" | "startedMs" | "final">, key: string, healthyMs: number) {
    const { spec, reason } = failed;
    crashes.set(key, (crashes.get(key) ?? 0) + 1);
    const failure = { ...failed, atMs: clock.nowMs(), final: failed.final || world.servesEarlier(key, spec) };
    const history = crashed(histories.get(key), failure, healthyMs);
    histories.set(key, history);
    const hold = holdOf(history, spec, clock.nowMs());
    const gaveUp = hold?.kind === "gaveUp";
    events.note(
      { actor: "hub", correlation },
      `service:${key}`,
      gaveUp ? { type: "service.gaveUp", crashes: hold.crashes, last: reason } : { type: "service.failed", reason },
    );
  }

  function onFailed(step: Step, fault: Fault) {
    const { kind, service } = step.action;
    const current = services.find(({ key }) => key === service);
    trace.warn("a step failed", { step: step.id, reason: fault.message });
    // An end before health is counted when the runtime reports it.
    if (!current || (kind === "check" && fault.code === "conflict")) return;
    const final = kind === "start" && finalCodes.has(fault.code);
    fail({ spec: current.spec, reason: fault.message, final }, service, 0);
    options.onChange();
  }

  function onNews(news: WorldNews) {
    recordNews(events, news, correlation);
    if (news.kind === "health") {
      if (news.state.health === "healthy") healthySince.set(news.instance.id, clock.nowMs());
      else loop.wake(true);
    }
    if (news.kind === "exited") {
      const { id, labels, startedMs } = news.instance;
      const since = healthySince.get(id);
      healthySince.delete(id);
      const current = services.find(({ key }) => key === instanceKey(news.instance));
      if (current?.spec === labels.spec) {
        const failed = { spec: labels.spec, reason: exitText(news.exit), startedMs };
        fail(failed, current.key, since === undefined ? 0 : clock.nowMs() - since);
      }
      loop.wake(true);
    }
    options.onChange();
  }

  async function watch() {
    for await (const event of runtime.watch(stop.signal)) {
      if (event.kind === "exited") world.exited(event.id, event.exit);
    }
  }

  function resolveFor(wished: Pick<AcceptedLab, "document" | "folder">, db: Reader = options.db) {
    const doors = chooseDoors(db, wished.document, Number.parseInt(hashText(dataFolder).slice(0, 8), 16));
    const restarts = restartsAsked(db);
    const resolved = resolveLab(wished.document, {
      folder: wished.folder,
      workloads: runtime.features.workloads,
      doorOf: (key) => doors.get(key) ?? 0,
      restartsOf: (key) => restarts.get(key) ?? 0,
      absolute: resolve,
    });
    return { doors, resolved };
  }

  function prepare(wished: AcceptedLab, origin: Origin, db?: Reader): Part {
    const { doors, resolved } = resolveFor(wished, db);
    return {
      record(tx) {
        handOutDoors(tx, doors);
        rememberSpecs(tx, resolved, clock.nowMs());
      },
      take: () => take(wished, resolved, origin),
    };
  }

  function take(wished: AcceptedLab, resolved: readonly ResolvedService[], origin: Origin) {
    correlation = origin.correlation;
    lab = wished;
    services = resolved;
    for (const { spec, key, fields, contract } of services)
      specs.set(spec, { hash: spec, service: key, fields, contract });
    world.setServices(services);
    for (const [key, history] of histories) {
      if (services.find((service) => service.key === key)?.spec !== history.spec) histories.delete(key);
    }
    loop.wake(true);
    options.onChange();
  }

  function restart(wished: AcceptedLab, key: string, origin: Origin) {
    const part = events.deed(origin, (tx, emit) => {
      askRestart(tx, emit, key, clock.nowMs());
      const prepared = prepare(wished, origin, tx);
      prepared.record(tx, emit);
      return prepared;
    });
    histories.delete(key);
    part.take();
  }

  return {
    world,
    loop,
    prepare,
    restart(key, origin) {
      if (lab !== undefined) restart(lab, key, origin);
    },
    desiredOf: (wished) => desiredFrom(wished.hash, resolveFor(wished).resolved),
    forgive() {
      histories.clear();
      loop.wake(true);
    },
    leave() {
      leaving = true;
      loop.wake(true);
    },
    services: () => services,
    running() {
      const running = world.instances.filter(({ state }) => state === "running");
      return [...new Set(running.map(instanceKey))].sort();
    },
    status() {
      const healthy = new Set<string>();
      for (const instance of world.instances) {
        if (instance.state === "running" && world.isRouted(instance)) healthy.add(instanceKey(instance));
      }
      return services.map((service) =>
        statusOf({
          service,
          seen: world.instances
            .filter((instance) => instanceKey(instance) === service.key)
            .map((instance) => ({
              instance,
              check: world.healthOf(instance.id),
              routed: world.isRouted(instance),
            })),
          hold: holdFor(service),
          crashes: crashes.get(service.key) ?? 0,
          nowMs: clock.nowMs(),
          leaving,
          waitsFor: service.needs.filter((need) => !healthy.has(need)),
          url: service.route === undefined ? undefined : options.urlOf(service.route),
        }),
      );
    },
    async begin(signal) {
      void watch().catch((thrown) => trace.error("the runtime's watch ended", { reason: String(thrown) }));
      await world.adopt(adoptWithinMs, signal);
      loop.begin();
    },
    async close() {
      await loop.close();
      stop.abort();
      checks.close();
    },
  };
}

/** A new id, and the variables with their secrets and folders. */
async function prepareInstance(service: ResolvedService, dataFolder: string, clock: Clock) {
  const environment: Record<string, string> = {};
  for (const [name, source] of Object.entries(service.variables)) {
    environment[name] = source.kind === "text" ? source.text : await readSecret(dataFolder, source.name);
  }
  for (const volume of service.volumes) {
    const folder = volume.host ?? join(dataFolder, "volumes", service.environment, service.service, volume.name);
    if (volume.host === undefined) await ensureFolder(folder);
    environment[volume.variable] = folder;
  }
  return { id: makeId("ins", { nowMs: () => clock.nowMs(), random: cryptoRandom }), environment };
}
