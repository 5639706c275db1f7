import { resolve } from "node:path";
import { hashText } from "@fed/lab";
import type { Clock, Timer } from "#base/clock.ts";
import { type Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Database, Reader, Tx } from "#disk/sqlite.ts";
import { crashed, type Failure, type History, holdOf } from "#engine/reconcile/backoff.ts";
import type { Desired, Observed, Plan, Step } from "#engine/reconcile/plan.ts";
import { openChecks } from "#hub/check/loop.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { AcceptedLab } from "#hub/lab/lab.ts";
import { acceptedNames } from "#hub/lab/verbs.ts";
import type { KeptLogs } from "#hub/log/verbs.ts";
import type { Values } from "#hub/secret/verbs.ts";
import type { Probe } from "#port/probe.ts";
import type { Instance, RuntimeEvent } from "#port/runtime.ts";
import type { Progress } from "#wire/progress.ts";
import type { ServiceStatus } from "#wire/status.ts";
import { type FoundData, findData } from "./data.ts";
import { desiredFrom, type Leaving, leaves } from "./desired.ts";
import { type DestroyWish, destroyService } from "./destroy.ts";
import { exitText, lastedText } from "./exit.ts";
import { keepOutput } from "./keep.ts";
import { lastWords } from "./last-words.ts";
import { type Loop, openLoop, stepDeadlineMs } from "./loop.ts";
import { prepareInstance } from "./prepare.ts";
import { recordNews } from "./record.ts";
import { resolveLab } from "./resolve.ts";
import type { Gates } from "./routing.ts";
import type { ResolvedService } from "./service.ts";
import { servingIn } from "./settled.ts";
import { openSites, type Sites, type SitesNeeds } from "./sites.ts";
import { statusOf } from "./status.ts";
import type { SpecRow } from "./store.ts";
import { chooseDoors, handOutDoors, rememberedSpecs, rememberSpecs } from "./verbs.ts";
import type { ByHand, ServiceNews, ServicePart, Wanted, WantedService } from "./wanted.ts";
import { instanceKey, World, type WorldNews } from "./world.ts";

export interface ControlOptions extends Pick<SitesNeeds, "processes" | "openShell" | "openEngine" | "redactor"> {
  readonly db: Database;
  readonly events: EventLog;
  readonly gates: Gates;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly dataFolder: string;
  readonly secrets: Pick<Values, "versionsOf" | "reveal">;
  /** Where the output goes of what is gone. */
  readonly logs: Pick<KeptLogs, "keep">;
  /** Variables every service inherits. */
  readonly inherited: Readonly<Record<string, string>>;
  /** How long instances of this release have to end; undefined: nobody knows that release. */
  graceOf?(release: string): number | undefined;
  /** Who hears how it goes. */
  readonly news: ServiceNews;
  /** Whether the fleet has such a machine. */
  isMachine(name: string): boolean;
  /** Where people reach a service's host name. */
  urlOf(service: WantedService): string | undefined;
  /** Whether something is on its way that changes what is wanted. */
  pending(): boolean;
  onProgress(progress: Progress): void;
  /** Keeps how the runs of a loop go that turns by itself; see the scheduler. */
  follow(loop: { readonly name: string; readonly timeoutMs: number }): () => (failure?: string) => void;
  /** Something people see may have changed. */
  onChange(): void;
}

/** What the lab says of its services, with what is to be recorded with it. */
export interface Resolution {
  readonly resolved: readonly ResolvedService[];
  record(tx: Tx): void;
}

/** The services at run time: what is wanted, the world, and the loop that makes the one the other. */
export interface Control extends ServicePart {
  readonly world: World;
  readonly sites: Sites;
  readonly loop: Loop;
  /** What the lab says of its services; remembers nothing. */
  resolve(lab: Pick<AcceptedLab, "document" | "folder">, db?: Reader): Resolution;
  /** What would be done if this were wanted; writes nothing. */
  plan(wanted: Wanted | Promise<Wanted>, signal: AbortSignal): Promise<Plan>;
  /** Tries again what was given up. */
  forgive(key?: string): void;
  /** Ends a service and removes what fed keeps for it; see destroy.ts. */
  destroy(
    wish: DestroyWish,
    byHand: Pick<ByHand, "stop">,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** What fed keeps for services, also for those that the lab has no more. */
  data(signal: AbortSignal): Promise<FoundData>;
  /** From now on nothing is wanted to run, or nothing that ends with the hub. */
  leave(what: Exclude<Leaving, "nothing">): void;
  services(): readonly WantedService[];
  /** Keys of what runs and is to end with the hub, by name. */
  running(): readonly string[];
  status(): readonly ServiceStatus[];
  /** Takes over what runs already, then begins. */
  begin(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Faults of a start that trying again does not heal. */
const finalCodes: ReadonlySet<Fault["code"]> = new Set(["missing", "denied", "unsupported", "invalid"]);

const adoptWithinMs = 3_000;
/** Ingresses of machines are looked after so often. */
const tendMs = 30_000;

export function openControl(options: ControlOptions): Control {
  const { clock, trace, events, db, dataFolder } = options;
  const histories = new Map<string, History>();
  const crashes = new Map<string, number>();
  const healthySince = new Map<string, number>();
  /** When this hub has started an instance, by its own clock: that of its machine may say anything. */
  const startedAt = new Map<string, number>();
  const specs: Map<string, SpecRow> = rememberedSpecs(db);
  /** What instances of a spec need, as it was wanted last: what the lab has no more stays as long as they run. */
  const needsOf = new Map<string, string>();
  const labs = new Set(acceptedNames(db));
  const stop = new AbortController();
  let wanted: Wanted = { hash: "", services: [] };
  let byKey: ReadonlyMap<string, WantedService> = new Map();
  let leaving: Leaving = "nothing";
  let timer: Timer | undefined;
  /** Failures whose last lines are being read. */
  let telling = 0;
  /** Machines of services that could not be asked when it was looked last. */
  let away: ReadonlySet<string> = new Set();
  /** Of the wish that what happens now most likely follows from. */
  let correlation = "hub";

  const sites = openSites({
    ...{ clock, trace, processes: options.processes, redactor: options.redactor },
    ...{ openShell: options.openShell, openEngine: options.openEngine, onEvent },
    isOurs: (lab) => labs.has(lab),
    onChange() {
      loop.wake(true);
      options.onChange();
    },
  });
  const checks = openChecks({
    probe: options.probe,
    clock,
    // Each probe has the time its own check says.
    beginRun: options.follow({ name: "service.check", timeoutMs: 0 }),
    onChange: (id, state) => world.healthChanged(id, state),
  });
  const world = new World(
    {
      ...{ sites, gates: options.gates, clock, inherited: options.inherited, onNews },
      prepare: (service) => prepareInstance(service, options),
      keep: (ended, asked, signal) => keepOutput({ sites, clock, trace, logs: options.logs }, ended, asked, signal),
      contractOf: (spec) => specs.get(spec)?.contract,
      graceOf: (release) => options.graceOf?.(release),
    },
    checks,
  );
  const loop = openLoop({
    ...{ world, clock, trace, hash: hashText, announce, onFailed, onProgress: options.onProgress, onPlanned },
    desired: () => desiredNow(wanted),
    pending: () => telling > 0 || (leaving === "nothing" && options.pending()),
    beginRun: options.follow({ name: "service.reconcile", timeoutMs: stepDeadlineMs }),
  });

  const backOff = ({ key, spec }: WantedService) => holdOf(histories.get(key), spec, clock.nowMs());

  function desiredNow(of: Wanted): Desired {
    const needs = (spec: string) => (needsOf.has(spec) ? { needs: needsOf.get(spec) ?? "" } : {});
    const earlier = Object.fromEntries(
      Array.from(specs.values(), ({ hash, fields }) => [hash, { ...fields, ...needs(hash) }]),
    );
    return desiredFrom(of, {
      ...{ earlier, leaving, holdOf: backOff },
      unseenOn: (machine) => world.unseenOn(machine),
    });
  }

  function fail(failed: Pick<Failure, "spec" | "reason" | "startedMs" | "final">, key: string, healthyMs: number) {
    const { spec, reason } = failed;
    crashes.set(key, (crashes.get(key) ?? 0) + 1);
    const failure = { ...failed, atMs: clock.nowMs(), final: failed.final || world.servesEarlier(key, spec) };
    const before = holdOf(histories.get(key), spec, clock.nowMs());
    const history = crashed(histories.get(key), failure, healthyMs);
    histories.set(key, history);
    const hold = holdOf(history, spec, clock.nowMs());
    const gaveUp = hold?.kind === "gaveUp";
    // What an ingress refuses again and again has been said.
    if (gaveUp && before?.kind === "gaveUp" && before.last === reason) return gaveUp;
    events.note(
      { actor: "hub", correlation },
      `service:${key}`,
      gaveUp ? { type: "service.gaveUp", crashes: hold.crashes, last: reason } : { type: "service.failed", reason },
    );
    return gaveUp;
  }

  /** Tells of a failed try, with the last lines of who failed. */
  async function tell(key: string, spec: string, reason: string, final: boolean, who: Instance | undefined) {
    telling++;
    const reading = who === undefined ? "" : lastWords(sites, clock, who.id, stop.signal);
    const output = await Promise.resolve(reading).finally(() => telling--);
    if (stop.signal.aborted) return;
    options.news.failed(key, spec, { reason, output, final });
    loop.wake(false);
  }

  function onFailed(step: Step, fault: Fault) {
    const { kind, service } = step.action;
    const current = byKey.get(service);
    trace.warn("a step failed", { step: step.id, reason: fault.message });
    // An end before health is counted when the runtime reports it, and nobody is to blame whose machine is away.
    if (!current || (kind === "check" && fault.code === "conflict") || isAway(current, fault)) return;
    const reason = fault.hint === undefined ? fault.message : `${fault.message}. ${fault.hint}`;
    const final = kind === "start" && finalCodes.has(fault.code);
    const gaveUp = fail({ spec: current.spec, reason, final }, service, 0);
    if (kind === "start" || kind === "check" || kind === "switch") {
      const ours = world.instances.filter((one) => instanceKey(one) === service && one.labels.spec === current.spec);
      const sick = ours.findLast(({ id }) => world.healthOf(id).health !== "healthy");
      void tell(service, current.spec, reason, gaveUp, kind === "check" ? sick : undefined);
    }
    options.onChange();
  }

  const isAway = ({ container, machine }: WantedService, { code }: Fault) =>
    container !== undefined && (code === "unreachable" || world.unseenOn(machine) !== undefined);

  function onNews(news: WorldNews) {
    recordNews(events, news, correlation);
    if (news.kind === "started") startedAt.set(news.instance.id, clock.nowMs());
    if (news.kind === "health") {
      if (news.state.health === "healthy") {
        healthySince.set(news.instance.id, clock.nowMs());
        // What was adopted may be what somebody waits for.
        if (!loop.busy) loop.wake(false);
      } else {
        const { id, labels, startedMs } = news.instance;
        const current = byKey.get(instanceKey(news.instance));
        // While something stands by, whoever took over and does not last is not mended: what was before serves again.
        if (current?.spec === labels.spec && current.fallback && world.isRouted(news.instance)) {
          const reason = lastedText(`unhealthy: ${news.state.reason}`, clock.nowMs() - (healthySince.get(id) ?? 0));
          const final = fail({ spec: labels.spec, reason, startedMs, final: true }, current.key, 0);
          void tell(current.key, labels.spec, reason, final, news.instance);
        }
        loop.wake(true);
      }
    }
    if (news.kind === "exited") {
      const { id, labels } = news.instance;
      const since = healthySince.get(id);
      const startedMs = startedAt.get(id) ?? news.instance.startedMs;
      const current = byKey.get(instanceKey(news.instance));
      if (current?.spec === labels.spec) {
        const ended = exitText(news.exit);
        const reason = since === undefined || !current.fallback ? ended : lastedText(ended, clock.nowMs() - since);
        const healthyMs = since === undefined ? 0 : clock.nowMs() - since;
        const gaveUp = fail({ spec: labels.spec, reason, startedMs }, current.key, healthyMs);
        void tell(current.key, labels.spec, reason, gaveUp, news.instance);
      }
      loop.wake(true);
    }
    if (news.kind === "exited" || news.kind === "stopped") {
      healthySince.delete(news.instance.id);
      startedAt.delete(news.instance.id);
    }
    options.onChange();
  }

  function onEvent(event: RuntimeEvent) {
    if (event.kind === "exited") world.exited(event.id, event.exit);
    if (event.kind === "removed" && world.isMissed(event.id)) loop.wake(true);
    if (event.kind === "altered") loop.wake(true);
    if (event.kind === "started" && world.isUnexpected(event.id)) loop.wake(false);
  }

  function onPlanned(desired: Desired, observed: Observed, plan: Plan) {
    // What ends with the hub has not been rolled out.
    if (leaving !== "nothing") return;
    for (const { key, spec } of servingIn(desired, observed, plan, clock.nowMs())) options.news.serving(key, spec);
    const before = away;
    const machines = new Set(wanted.services.map(({ machine }) => machine));
    const now = new Set([...machines].filter((machine) => world.unseenOn(machine) !== undefined));
    for (const machine of before) if (machines.has(machine) && !now.has(machine)) options.news.arrived(machine);
    // Only now: an arrival that could not be written down is told again.
    away = now;
  }

  /** An edit may say something else of routes alone. What the hub's own ingress refuses is no reason to do nothing else. */
  async function announce(signal: AbortSignal) {
    try {
      await world.announceRoutes(signal);
    } catch (thrown) {
      signal.throwIfAborted();
      trace.warn("the routes were refused", { reason: toFault(thrown).message });
    }
  }

  /** Who was away has other routes than those that are wanted. */
  async function tend() {
    try {
      for (const [machine, reason] of await world.tendRoutes(stop.signal, machinesOf([])))
        trace.warn("the ingress of a machine cannot be asked", { machine, reason });
    } catch (thrown) {
      if (stop.signal.aborted) return;
      trace.error("ingresses could not be looked after", { reason: toFault(thrown).message });
    }
    timer = clock.after(tendMs, () => void tend());
  }

  function resolveFor(lab: Pick<AcceptedLab, "document" | "folder">, from: Reader = db): Resolution {
    const doors = chooseDoors(from, lab.document, Number.parseInt(hashText(dataFolder).slice(0, 8), 16));
    const environments = Object.keys(lab.document.environments);
    const versions = new Map(environments.map((name) => [name, options.secrets.versionsOf(name)]));
    const resolved = resolveLab(lab.document, {
      folder: lab.folder,
      doorOf: (key) => doors.get(key),
      secretVersion: (environment, name) => versions.get(environment)?.get(name),
      absolute: resolve,
    });
    return { resolved, record: (tx) => handOutDoors(tx, doors) };
  }

  /** What the specs were made from; a database without room forgets it with the hub. */
  function remember(services: readonly WantedService[]) {
    const fresh = services.filter(({ spec }) => !specs.has(spec));
    for (const { spec, needs } of services) needsOf.set(spec, JSON.stringify(needs));
    for (const { spec, key, fields, contract } of services)
      specs.set(spec, { hash: spec, service: key, fields, contract });
    if (fresh.length === 0) return;
    try {
      db.tx((tx) => rememberSpecs(tx, fresh, clock.nowMs()));
    } catch (thrown) {
      trace.warn("what specs were made from could not be written down", { reason: toFault(thrown).message });
    }
  }

  /** Where containers are wanted, or were once, so that what is left there is found. */
  function machinesOf(services: readonly WantedService[]): ReadonlySet<string> {
    const now = services.flatMap(({ container, machine }) => (container === undefined ? [] : [machine]));
    const once = Array.from(specs.values(), ({ fields }) => fields.machine ?? "");
    return new Set([...now, ...once].filter((name) => name !== "" && options.isMachine(name)));
  }

  function want(next: Wanted, by: string) {
    const moved = next.hash !== wanted.hash;
    wanted = next;
    byKey = new Map(next.services.map((service) => [service.key, service]));
    // What is wanted is the same, and yet what was to come may have ended.
    if (!moved) return loop.wake(false);
    correlation = by;
    for (const { lab } of next.services) labs.add(lab);
    remember(next.services);
    world.setServices(next.services);
    sites.follow(machinesOf(next.services));
    for (const [key, { spec }] of histories) if (byKey.get(key)?.spec !== spec) histories.delete(key);
    loop.wake(true);
    options.onChange();
  }

  return {
    ...{ world, sites, loop, want, resolve: resolveFor },
    plan(of, signal) {
      const desired = Promise.resolve(of).then((known) => () => desiredNow(known));
      return loop.plan(desired, signal);
    },
    runningReleases: () => new Set(world.instances.flatMap(({ labels }) => labels.release ?? [])),
    imagesOf: sites.imagesOf,
    unseenOn: (machine) => world.unseenOn(machine),
    forgive(key) {
      if (key === undefined) histories.clear();
      else histories.delete(key);
      loop.wake(true);
    },
    destroy: (wish, byHand, origin, signal) =>
      destroyService({ world, sites, byHand, events, clock, dataFolder }, wanted.services, wish, origin, signal),
    data: (signal) => findData({ sites, dataFolder }, wanted.services, signal),
    leave(what) {
      leaving = what;
      // Containers outlive the hub.
      if (what === "processes") world.letStartsGo();
      loop.wake(true);
    },
    services: () => wanted.services,
    running() {
      const ending = world.instances.filter((one) => {
        const service = byKey.get(instanceKey(one));
        return one.state === "running" && (service === undefined || leaving === "nothing" || leaves(service, leaving));
      });
      return [...new Set(ending.map(instanceKey))].sort();
    },
    status() {
      const healthy = new Set(
        world.instances.filter((one) => one.state === "running" && world.isRouted(one)).map(instanceKey),
      );
      const byService = Map.groupBy(world.instances, instanceKey);
      return wanted.services.map((service) =>
        statusOf({
          service,
          seen: (byService.get(service.key) ?? []).map((instance) => ({
            instance,
            check: world.healthOf(instance.id),
            routed: world.isRouted(instance),
          })),
          hold: service.unsupported === undefined ? backOff(service) : undefined,
          unseen: service.container === undefined ? undefined : world.unseenOn(service.machine),
          crashes: crashes.get(service.key) ?? 0,
          nowMs: clock.nowMs(),
          leaving: leaves(service, leaving),
          waitsFor: service.needs.filter((need) => !healthy.has(need)),
          url: options.urlOf(service),
        }),
      );
    },
    async begin(signal) {
      await world.adopt(adoptWithinMs, signal);
      loop.begin();
      void tend();
    },
    async close() {
      await loop.close();
      stop.abort();
      timer?.cancel();
      checks.close();
      await sites.close();
    },
  };
}
