import { untilAborted } from "#base/abort.ts";
import { delayedSignal } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { unreachable } from "#base/unreachable.ts";
import { type Action, alteredSpec, type Observed, type ObservedInstance } from "#engine/reconcile/plan.ts";
import type { CheckContract, CheckState } from "#hub/check/check.ts";
import type { Checks } from "#hub/check/loop.ts";
import type { IngressRoute } from "#port/ingress.ts";
import type { Exit, Instance, InstanceSpec } from "#port/runtime.ts";
import { type CheckPlace, checkTargetOf } from "./check-target.ts";
import { exitText } from "./exit.ts";
import { leavingOf } from "./leaving.ts";
import { type Gates, openRouting, type RouteTable, type Routing } from "./routing.ts";
import { keyOf } from "./service.ts";
import { makeServing, servingSpec } from "./serving.ts";
import { asAltered, type Placed } from "./site.ts";
import type { Sites } from "./sites.ts";
import { makeTrials, type Trials } from "./trial.ts";
import { machineAlias } from "./variable.ts";
import { makeWaiters } from "./waiters.ts";
import type { WantedService } from "./wanted.ts";

/** What happened in the world, for the record. */
export type WorldNews =
  | { readonly kind: "started" | "adopted"; readonly instance: Instance }
  /** It ended and nobody had asked for it. */
  | { readonly kind: "exited"; readonly instance: Instance; readonly exit: Exit }
  | { readonly kind: "stopped"; readonly instance: Instance }
  | { readonly kind: "health"; readonly instance: Instance; readonly state: CheckState }
  | {
      readonly kind: "switched";
      readonly service: string;
      readonly spec: string | undefined;
      readonly targets: number;
    };

type CheckAction = Extract<Action, { kind: "check" }>;
type OnInstance = { readonly service: string; readonly instance: string };
type SwitchAction = Extract<Action, { kind: "switch" }>;

/** So long a start goes on although its plan is out of date; by then it is usually done. */
export const startTidyMs = 5_000;

/** What an instance's start needs that the spec does not hold: its new id, variables and files with secrets, folders. */
export type Prepared = Pick<InstanceSpec, "id" | "environment" | "files">;

export interface WorldOptions extends CheckPlace {
  readonly sites: Pick<Sites, "look" | "start" | "stop" | "remove" | "run" | "forget" | "hostAddress">;
  readonly gates: Gates;
  prepare(service: WantedService): Promise<Prepared>;
  /** Before an ended instance is forgotten for good; `asked`: somebody wanted it to end. */
  keep(ended: Instance, asked: boolean, signal: AbortSignal): Promise<void>;
  /** The contract an instance of this spec is checked by; undefined when nobody remembers that spec. */
  contractOf(spec: string): CheckContract | undefined;
  /** How long instances of this release have to end, where the lab has its service no more; as long as usual when left out. */
  graceOf?(release: string): number | undefined;
  onNews(news: WorldNews): void;
}

/**
 * The one place where wishes touch reality: reads what runs into the engine's words and carries out single actions
 * through the ports. Decides nothing. What it holds in memory (instances, routed targets) is a copy of reality that
 * each `observe` renews.
 */
export class World {
  readonly #options: WorldOptions;
  readonly #checks: Checks;
  readonly #routing: Routing;
  readonly #live = new Map<string, Placed>();
  readonly #serving = makeServing();
  /** Machines that cannot be asked, with the reason. */
  #unseen: ReadonlyMap<string, string> = new Map();
  /** Ids that this hub is starting, each with its service. */
  readonly #starting = new Map<string, string>();
  /** What is being started is left to itself. */
  readonly #letGo = new AbortController();
  /** Ids whose end was asked for. */
  readonly #ending = new Set<string>();
  /** Ids that took too long to become healthy. */
  readonly #late = new Set<string>();
  readonly #trials: Trials;
  readonly #waiters = makeWaiters();
  #services: ReadonlyMap<string, WantedService> = new Map();
  /** Not wished any more, and told to ingresses as long as anybody of them serves. */
  #leaving: RouteTable["services"] = [];

  constructor(options: WorldOptions, checks: Checks) {
    this.#options = options;
    this.#checks = checks;
    this.#trials = makeTrials(options.clock);
    this.#routing = openRouting(options.gates, (routes) => this.#recall(routes));
  }

  /** The services as wished from now on; the newest resolution of a key also tells how to stop what is left of it. */
  setServices(services: readonly WantedService[]): void {
    this.#leaving = leavingOf(services, [...this.#services.values(), ...this.#leaving], this.#serving.told);
    this.#services = new Map(services.map((service) => [service.key, service]));
  }

  get instances(): readonly Instance[] {
    return Array.from(this.#live.values(), ({ instance }) => instance);
  }

  /** Why nobody knows what runs on a machine; undefined: it is known. */
  unseenOn(machine: string): string | undefined {
    return this.#unseen.get(machine);
  }

  isUnseen(id: string): boolean {
    const placed = this.#live.get(id);
    return placed !== undefined && this.#unseen.has(placed.machine);
  }

  /** What never became healthy in its time counts as unhealthy until it is. */
  healthOf(id: string): CheckState {
    const state = this.#checks.stateOf(id);
    return state.health === "unknown" && this.#late.has(id) ? { ...state, health: "unhealthy" } : state;
  }

  /** Whether instances of another spec serve this service, or stand by to. */
  servesEarlier(key: string, spec: string): boolean {
    const fallback = this.#services.get(key)?.fallback?.spec;
    const canServe = (one: Instance) => this.isRouted(one) || (one.labels.spec === fallback && this.#isHealthy(one.id));
    const isEarlier = ({ labels }: Instance) => labels.spec !== spec && labels.spec !== alteredSpec(spec);
    return this.#instancesOf(key).some((one) => isEarlier(one) && one.state === "running" && canServe(one));
  }

  #noteServing(instance: Instance): void {
    this.#trials.note(instance.id, this.healthOf(instance.id).health === "healthy" && this.isRouted(instance));
  }

  isRouted(instance: Instance): boolean {
    return this.#serving.isRouted(instanceKey(instance), instance.id);
  }

  async observe(signal: AbortSignal): Promise<Observed> {
    const { placed, unseen } = await this.#options.sites.look(signal);
    this.#unseen = unseen;
    const seen = new Set(placed.map(({ instance }) => instance.id));
    for (const [id, { machine }] of this.#live) {
      if (unseen.has(machine)) this.#checks.untrack(id);
      else if (!seen.has(id)) this.#forget(id);
    }
    for (const one of placed.map(asAltered)) {
      this.#live.set(one.instance.id, one);
      if (one.instance.state === "running") this.#track(one);
      else this.#checks.untrack(one.instance.id);
    }
    return { instances: this.instances.map((instance) => this.#observed(instance)) };
  }

  #observed(instance: Instance): ObservedInstance {
    const unseen = this.isUnseen(instance.id);
    // Nobody calls it back: another one takes its place if it is wanted again.
    const stopping = !unseen && instance.state === "running" && this.#ending.has(instance.id);
    if (!unseen && instance.state === "running") this.#noteServing(instance);
    return {
      id: instance.id,
      service: instanceKey(instance),
      spec: instance.labels.spec,
      replica: instance.labels.replica,
      state: instance.state,
      health: unseen ? "unknown" : stopping ? "unhealthy" : this.healthOf(instance.id).health,
      ...this.#trials.of(instance.id),
      routed: this.isRouted(instance),
      exit: instance.exit && exitText(instance.exit),
      ...(unseen ? { unseen } : {}),
      ...(stopping ? { stopping } : {}),
    };
  }

  /**
   * Takes over what an earlier hub left running: what is healthy within `limitMs` is routed at once, so that it serves
   * while the plan is made.
   */
  async adopt(limitMs: number, signal: AbortSignal): Promise<void> {
    await this.observe(signal);
    const running = this.instances.filter((instance) => instance.state === "running");
    if (running.length === 0) return;
    for (const instance of running) this.#options.onNews({ kind: "adopted", instance });
    const deadline = new AbortController();
    const timer = this.#options.clock.after(limitMs, () => deadline.abort());
    const settled = () => running.every((instance) => this.healthOf(instance.id).health !== "unknown");
    await this.#waiters.until(settled, AbortSignal.any([signal, deadline.signal])).catch(() => undefined);
    timer.cancel();
    signal.throwIfAborted();
    for (const [key, service] of this.#services) {
      const ours = running.filter((one) => instanceKey(one) === key);
      const spec = servingSpec(ours, service.spec, (id) => this.healthOf(id).health === "healthy");
      if (spec !== undefined) this.#serving.note(key, this.#healthyTargets(key, spec));
      if (ours.length === 0) continue;
      const doorsAt = await this.#doorHostOf(service, signal).catch(() => signal.throwIfAborted());
      if (doorsAt) this.#routing.openAt(doorsAt);
    }
    await this.announceRoutes(signal);
  }

  async execute(action: Action, signal: AbortSignal): Promise<void> {
    switch (action.kind) {
      case "start":
        return this.#start(action.service, action.spec, action.replica, signal);
      case "check":
        return this.#check(action, signal);
      case "switch":
        return this.#switch(action, signal);
      case "drain":
        // Who has not acknowledged a switch may have taken it: before somebody ends, it is told who serves.
        await this.#routing.apply(this.#table(), signal, action.service).catch(() => signal.throwIfAborted());
        await this.#routing.drain(action.instance, this.#graceOf(action), signal);
        return this.#trials.drained(action.instance);
      case "stop":
        return this.#stop(action, signal);
      case "remove":
        return this.#remove(action.instance, signal);
      default:
        return unreachable(action);
    }
  }

  async #remove(id: string, signal: AbortSignal): Promise<void> {
    const instance = this.#live.get(id)?.instance;
    if (instance) await this.#options.keep(instance, this.#ending.has(id), signal);
    await this.#options.sites.remove(id, signal);
    this.#forget(id);
  }

  /** To be called with each end the runtime reports. Returns the instance when nobody had asked for it. */
  exited(id: string, exit: Exit): Instance | undefined {
    const placed = this.#live.get(id);
    this.#checks.untrack(id);
    if (!placed || placed.instance.state === "exited") return undefined;
    const ended: Instance = { ...placed.instance, state: "exited", exit };
    this.#live.set(id, { ...placed, instance: ended });
    this.#waiters.wake();
    if (this.#ending.has(id)) return undefined;
    this.#options.onNews({ kind: "exited", instance: ended, exit });
    return ended;
  }

  /** To be called with each change of health. */
  healthChanged(id: string, state: CheckState): void {
    this.#waiters.wake();
    const placed = this.#live.get(id);
    if (placed) this.#noteServing(placed.instance);
    if (placed) this.#options.onNews({ kind: "health", instance: placed.instance, state });
  }

  /** Whether somebody else started it: it does not run as far as is known, and is not about to. */
  isUnexpected(id: string): boolean {
    return this.#live.get(id)?.instance.state !== "running" && !this.#starting.has(id);
  }

  isStarting(key: string): boolean {
    return this.#starting.values().some((one) => one === key);
  }

  /** Nobody waits for starts that are under way: the hub ends, and what they start is there for the next one. */
  letStartsGo(): void {
    this.#letGo.abort(new Error("the hub is ending"));
  }

  /** Whether somebody else took it away: it was there, and nobody had asked for its end. */
  isMissed(id: string): boolean {
    return this.#live.get(id)?.instance.state === "running" && !this.#ending.has(id);
  }

  async #start(key: string, spec: string, replica: number, signal: AbortSignal): Promise<void> {
    const service = this.#services.get(key);
    if (service?.spec !== spec) throw new Fault("conflict", `${key} has changed since the plan was made`);
    const { lab, environment, release, machine, workload, port, container, limits } = service;
    const labels = {
      ...{ lab, environment, service: service.service, spec, replica },
      ...(release && { release: release.id, digest: release.digest, commit: release.commit }),
    };
    const doorsAt = await this.#doorHostOf(service, signal);
    if (doorsAt !== undefined && this.#routing.openAt(doorsAt)) await this.announceRoutes(signal);
    const prepared = await this.#options.prepare(service);
    const asked = { ...prepared, labels, workload, port, container, limits };
    signal.throwIfAborted();
    this.#starting.set(prepared.id, key);
    // A plan that is out of date kills nothing that is just beginning, a database that makes its files: the next one may want it, too.
    const late = delayedSignal(this.#options.clock, startTidyMs, signal);
    try {
      const started = this.#options.sites.start(machine, asked, late.signal);
      const placed = await untilAborted(started, this.#letGo.signal);
      this.#live.set(prepared.id, placed);
      this.#options.onNews({ kind: "started", instance: placed.instance });
      this.#track(placed);
    } finally {
      late.release();
      this.#starting.delete(prepared.id);
    }
    if (doorsAt !== undefined && this.#routing.isThere(doorsAt)) await this.announceRoutes(signal);
  }

  /** Containers on the hub's machine find its doors at this address of their network. */
  async #doorHostOf({ container, machine, lab, environment }: WantedService, signal: AbortSignal) {
    if (container?.hosts[machineAlias] === undefined) return undefined;
    return this.#options.sites.hostAddress(machine, lab, environment, signal);
  }

  async #check({ service, spec, atLeast, except }: CheckAction, signal: AbortSignal): Promise<void> {
    const withinMs = this.#options.contractOf(spec)?.withinMs ?? 60_000;
    const ours = this.#instancesOf(service).filter((one) => one.labels.spec === spec && !except.includes(one.id));
    const began = ours.filter(({ state }) => state === "running");
    const running = () => began.filter(({ id }) => this.#live.get(id)?.instance.state === "running");
    const tooFew = () => running().length < Math.max(1, atLeast);
    const healthy = () => running().every(({ id }) => this.healthOf(id).health === "healthy");
    // Each has its own time since this hub watches it, whatever the clock of its machine says; the youngest ends the wait.
    const late = new AbortController();
    const leftMs = withinMs - Math.min(...began.map(({ id }) => this.#checks.trackedMs(id)));
    const timer = this.#options.clock.after(leftMs, () => late.abort());
    try {
      await this.#waiters.until(() => tooFew() || healthy(), AbortSignal.any([signal, late.signal]));
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      throw this.#tooLate(running(), withinMs);
    } finally {
      timer.cancel();
    }
    if (!tooFew()) return;
    const exit = ours.map(({ id }) => this.#live.get(id)?.instance.exit).findLast((one) => one !== undefined);
    throw new Fault("conflict", `ended before it was healthy: ${exit ? exitText(exit) : "it is gone"}`);
  }

  #tooLate(instances: readonly Instance[], withinMs: number): Fault {
    const unwell = instances.filter(({ id }) => this.healthOf(id).health !== "healthy");
    const reason = unwell.map(({ id }) => this.healthOf(id).reason).find((text) => text !== "");
    for (const { id } of unwell) this.#late.add(id);
    return new Fault("timeout", `not healthy within ${withinMs / 1000} s${reason ? `: ${reason}` : ""}`);
  }

  async #switch({ service, spec, except }: SwitchAction, signal: AbortSignal): Promise<void> {
    const healthy = spec === undefined ? [] : this.#healthyTargets(service, spec);
    const targets = healthy.filter(({ instance }) => !except.includes(instance.id));
    if (spec !== undefined && targets.length === 0) throw new Fault("conflict", `${service} has no healthy instance`);
    for (const { instance } of targets) this.#trials.routed(instance.id);
    const end = this.#serving.begin(service, targets);
    try {
      await this.#routing.apply(this.#table(), signal, service);
    } catch (thrown) {
      // Nobody has acknowledged it: who served may serve on, and is not to end.
      end(false);
      throw thrown;
    }
    end(true);
    for (const { instance } of targets) this.#noteServing(instance);
    this.#options.onNews({ kind: "switched", service, spec, targets: targets.length });
  }

  async #stop(action: OnInstance, signal: AbortSignal): Promise<void> {
    const { instance: id } = action;
    const placed = this.#live.get(id);
    this.#ending.add(id);
    this.#checks.untrack(id);
    await this.#options.sites.stop(id, this.#graceOf(action), signal);
    if (placed) this.#options.onNews({ kind: "stopped", instance: placed.instance });
  }

  /** Makes ingresses know what a new wish says of routes, before anything serves them and whether or not anything is to be done. */
  announceRoutes(signal: AbortSignal): Promise<void> {
    return this.#routing.announce(this.#table(), (machine) => this.#unseen.has(machine), signal);
  }

  /** Makes the routes known to ingresses that did not answer, or have lost them; answers which cannot be asked now, and why. */
  tendRoutes(signal: AbortSignal, once: Iterable<string> = []): Promise<ReadonlyMap<string, string>> {
    return this.#routing.tend(this.#table(), (machine) => this.#unseen.has(machine), signal, once);
  }

  /** What an ingress leads to from before this hub goes on until a switch says otherwise. */
  #recall(routes: readonly IngressRoute[]): void {
    for (const { service, targets } of routes) {
      if (this.#serving.told.has(service)) continue;
      const there = targets.flatMap(({ instance }) => this.#live.get(instance) ?? []);
      if (there.length > 0) this.#serving.note(service, there);
    }
  }

  #table(): RouteTable {
    const leaving = this.#leaving.filter(({ key }) => this.#serving.told.has(key));
    return { services: [...this.#services.values(), ...leaving], targets: this.#serving.told };
  }

  #healthyTargets(key: string, spec: string): readonly Placed[] {
    const fits = ({ id, state, labels }: Instance) =>
      state === "running" && labels.spec === spec && this.#isHealthy(id);
    return [...this.#live.values()].filter(({ instance }) => instanceKey(instance) === key && fits(instance));
  }

  #isHealthy(id: string): boolean {
    return this.healthOf(id).health === "healthy" && !this.#ending.has(id);
  }

  #instancesOf(key: string): readonly Instance[] {
    return this.instances.filter((instance) => instanceKey(instance) === key);
  }

  #graceOf({ service, instance }: OnInstance): number {
    const release = this.#live.get(instance)?.instance.labels.release;
    const once = release === undefined ? undefined : this.#options.graceOf?.(release);
    return this.#services.get(service)?.stopGraceMs ?? once ?? 10_000;
  }

  #track(placed: Placed): void {
    const { instance } = placed;
    if (this.#ending.has(instance.id)) return;
    const contract = this.#options.contractOf(instance.labels.spec);
    if (contract === undefined) return;
    const target = checkTargetOf(this.#options, placed, this.#services.get(instanceKey(instance)));
    this.#checks.track(instance.id, { contract, ...target });
  }

  #forget(id: string): void {
    this.#live.delete(id);
    this.#options.sites.forget(id);
    this.#ending.delete(id);
    this.#late.delete(id);
    this.#trials.forget(id);
    this.#checks.untrack(id);
    this.#waiters.wake();
  }
}

export function instanceKey(instance: Instance): string {
  return keyOf(instance.labels.environment, instance.labels.service);
}
