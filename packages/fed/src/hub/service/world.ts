import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { unreachable } from "#base/unreachable.ts";
import type { Action, Observed } from "#engine/reconcile/plan.ts";
import type { CheckContract, CheckState } from "#hub/check/check.ts";
import type { Checks } from "#hub/check/loop.ts";
import type { Ingress, RouteTarget } from "#port/ingress.ts";
import type { Exit, Instance, Runtime } from "#port/runtime.ts";
import { exitText } from "./exit.ts";
import { routesOf } from "./routing.ts";
import { keyOf, type ResolvedService } from "./service.ts";

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
type SwitchAction = Extract<Action, { kind: "switch" }>;

export interface WorldOptions {
  readonly runtime: Runtime;
  readonly ingress: Ingress;
  readonly clock: Clock;
  /** Everything an instance's start needs that the spec does not hold: its new id, variables with secrets, folders. */
  prepare(service: ResolvedService): Promise<{ readonly id: string; readonly environment: Record<string, string> }>;
  /** The contract an instance of this spec is checked by; undefined when nobody remembers that spec. */
  contractOf(spec: string): CheckContract | undefined;
  onNews(news: WorldNews): void;
  /** What services inherit; a command check runs with it. */
  readonly inherited: Readonly<Record<string, string>>;
}

/**
 * The one place where wishes touch reality: reads what runs into the engine's words and carries out single actions
 * through the ports. Decides nothing. What it holds in memory (instances, routed targets) is a copy of reality that
 * each `observe` renews.
 */
export class World {
  readonly #options: WorldOptions;
  readonly #checks: Checks;
  readonly #live = new Map<string, Instance>();
  readonly #routed = new Map<string, readonly RouteTarget[]>();
  /** Ids whose end was asked for. */
  readonly #ending = new Set<string>();
  /** Ids that took too long to become healthy. */
  readonly #late = new Set<string>();
  readonly #waiters = new Set<() => void>();
  #services: ReadonlyMap<string, ResolvedService> = new Map();
  #applying: Promise<unknown> = Promise.resolve();

  constructor(options: WorldOptions, checks: Checks) {
    this.#options = options;
    this.#checks = checks;
  }

  /** The services as wished from now on; the newest resolution of a key also tells how to stop what is left of it. */
  setServices(services: readonly ResolvedService[]): void {
    this.#services = new Map(services.map((service) => [service.key, service]));
  }

  get instances(): readonly Instance[] {
    return [...this.#live.values()];
  }

  /** What never became healthy in its time counts as unhealthy until it is. */
  healthOf(id: string): CheckState {
    const state = this.#checks.stateOf(id);
    return state.health === "unknown" && this.#late.has(id) ? { ...state, health: "unhealthy" } : state;
  }

  /** Whether instances of another spec serve this service. */
  servesEarlier(key: string, spec: string): boolean {
    return this.#instancesOf(key).some(
      (one) => one.labels.spec !== spec && one.state === "running" && this.isRouted(one),
    );
  }

  isRouted(instance: Instance): boolean {
    return this.#targetsOf(instanceKey(instance)).some((target) => target.instance === instance.id);
  }

  async observe(signal: AbortSignal): Promise<Observed> {
    const listed = await this.#options.runtime.list(signal);
    const seen = new Set(listed.map((instance) => instance.id));
    for (const id of this.#live.keys()) if (!seen.has(id)) this.#forget(id);
    for (const instance of listed) {
      this.#live.set(instance.id, instance);
      if (instance.state === "running") this.#track(instance);
      else this.#checks.untrack(instance.id);
    }
    return {
      instances: listed.map((instance) => ({
        id: instance.id,
        service: instanceKey(instance),
        spec: instance.labels.spec,
        replica: instance.labels.replica,
        state: instance.state,
        health: this.healthOf(instance.id).health,
        routed: this.isRouted(instance),
        exit: instance.exit && exitText(instance.exit),
      })),
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
    await this.#until(settled, AbortSignal.any([signal, deadline.signal])).catch(() => undefined);
    timer.cancel();
    signal.throwIfAborted();
    for (const [key, service] of this.#services) {
      const spec = servingSpec(running, key, service.spec, (id) => this.healthOf(id).health === "healthy");
      if (spec !== undefined) this.#routed.set(key, this.#healthyTargets(key, spec));
    }
    await this.#applyRoutes(signal);
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
        await this.#options.ingress.drain(action.instance, this.#graceOf(action.service), signal);
        return;
      case "stop":
        return this.#stop(action.service, action.instance, signal);
      case "remove":
        await this.#options.runtime.remove(action.instance, signal);
        this.#forget(action.instance);
        return;
      default:
        return unreachable(action);
    }
  }

  /** To be called with each end the runtime reports. Returns the instance when nobody had asked for it. */
  exited(id: string, exit: Exit): Instance | undefined {
    const instance = this.#live.get(id);
    this.#checks.untrack(id);
    if (!instance || instance.state === "exited") return undefined;
    const ended: Instance = { ...instance, state: "exited", exit };
    this.#live.set(id, ended);
    this.#wake();
    if (this.#ending.has(id)) return undefined;
    this.#options.onNews({ kind: "exited", instance: ended, exit });
    return ended;
  }

  /** To be called with each change of health. */
  healthChanged(id: string, state: CheckState): void {
    this.#wake();
    const instance = this.#live.get(id);
    if (instance) this.#options.onNews({ kind: "health", instance, state });
  }

  async #start(key: string, spec: string, replica: number, signal: AbortSignal): Promise<void> {
    const service = this.#services.get(key);
    if (service?.spec !== spec) throw new Fault("conflict", `${key} has changed since the plan was made`);
    const { id, environment } = await this.#options.prepare(service);
    const instance = await this.#options.runtime.start(
      {
        id,
        labels: { lab: service.lab, environment: service.environment, service: service.service, spec, replica },
        workload: service.workload,
        environment,
        port: service.port,
        limits: service.limits,
      },
      signal,
    );
    this.#live.set(id, instance);
    this.#options.onNews({ kind: "started", instance });
    this.#track(instance);
  }

  async #check({ service, spec, atLeast, except }: CheckAction, signal: AbortSignal): Promise<void> {
    const withinMs = this.#options.contractOf(spec)?.withinMs ?? 60_000;
    const ours = this.#instancesOf(service).filter((one) => one.labels.spec === spec && !except.includes(one.id));
    const began = ours.filter(({ state }) => state === "running");
    const running = () => began.filter(({ id }) => this.#live.get(id)?.state === "running");
    const tooFew = () => running().length < Math.max(1, atLeast);
    const healthy = () => running().every(({ id }) => this.healthOf(id).health === "healthy");
    // Each has its own time from its own start; the youngest ends the wait.
    const youngestMs = Math.max(...began.map(({ startedMs }) => startedMs));
    const late = new AbortController();
    const leftMs = Math.max(0, youngestMs + withinMs - this.#options.clock.nowMs());
    const timer = this.#options.clock.after(Math.min(leftMs, withinMs), () => late.abort());
    try {
      await this.#until(() => tooFew() || healthy(), AbortSignal.any([signal, late.signal]));
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      throw this.#tooLate(running(), withinMs);
    } finally {
      timer.cancel();
    }
    if (!tooFew()) return;
    const exit = ours.map(({ id }) => this.#live.get(id)?.exit).findLast((one) => one !== undefined);
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
    const targets = healthy.filter(({ instance }) => !except.includes(instance));
    if (spec !== undefined && targets.length === 0) throw new Fault("conflict", `${service} has no healthy instance`);
    if (targets.length === 0) this.#routed.delete(service);
    else this.#routed.set(service, targets);
    await this.#applyRoutes(signal);
    this.#options.onNews({ kind: "switched", service, spec, targets: targets.length });
  }

  async #stop(key: string, id: string, signal: AbortSignal): Promise<void> {
    const instance = this.#live.get(id);
    this.#ending.add(id);
    this.#checks.untrack(id);
    await this.#options.runtime.stop(id, this.#graceOf(key), signal);
    if (instance) this.#options.onNews({ kind: "stopped", instance });
  }

  /** One table at a time: a later switch always contains the earlier ones. */
  #applyRoutes(signal: AbortSignal): Promise<unknown> {
    const next = this.#applying.then(() =>
      this.#options.ingress.apply(routesOf([...this.#services.values()], this.#routed), signal),
    );
    this.#applying = next.catch(() => undefined);
    return next;
  }

  /** Makes the ingress know the host names of a new wish before anything serves them. */
  async announceRoutes(signal: AbortSignal): Promise<void> {
    await this.#applyRoutes(signal);
  }

  #targetsOf(key: string): readonly RouteTarget[] {
    return this.#routed.get(key) ?? [];
  }

  #healthyTargets(key: string, spec: string): readonly RouteTarget[] {
    return this.#instancesOf(key)
      .filter(({ id, state, labels }) => state === "running" && labels.spec === spec && this.#isHealthy(id))
      .map(({ id, address }) => ({ instance: id, ...address }));
  }

  #isHealthy(id: string): boolean {
    return this.healthOf(id).health === "healthy" && !this.#ending.has(id);
  }

  #instancesOf(key: string): readonly Instance[] {
    return this.instances.filter((instance) => instanceKey(instance) === key);
  }

  #graceOf(key: string): number {
    return this.#services.get(key)?.stopGraceMs ?? 10_000;
  }

  #track(instance: Instance): void {
    if (this.#ending.has(instance.id)) return;
    const contract = this.#options.contractOf(instance.labels.spec);
    const service = this.#services.get(instanceKey(instance));
    const folder = service?.workload.kind === "process" ? service.workload.folder : "/";
    const port = String(instance.address.port);
    const target = {
      address: instance.address,
      folder,
      environment: { ...this.#options.inherited, PORT: port, HOST: instance.address.host },
    };
    if (contract) this.#checks.track(instance.id, { contract, ...target });
  }

  #forget(id: string): void {
    this.#live.delete(id);
    this.#ending.delete(id);
    this.#late.delete(id);
    this.#checks.untrack(id);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** Waits for changes until the condition holds; rejects when the signal aborts. */
  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      try {
        await untilAborted(promise, signal);
      } finally {
        this.#waiters.delete(resolve);
      }
    }
  }
}

export function instanceKey(instance: Instance): string {
  return keyOf(instance.labels.environment, instance.labels.service);
}

/** The spec that should serve before a plan is made: the wished one if it is healthy, else any healthy one. */
function servingSpec(
  running: readonly Instance[],
  key: string,
  wished: string,
  isHealthy: (id: string) => boolean,
): string | undefined {
  const specs = running.filter((one) => instanceKey(one) === key && isHealthy(one.id)).map((one) => one.labels.spec);
  return specs.includes(wished) ? wished : specs[0];
}
