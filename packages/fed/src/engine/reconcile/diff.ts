import { order } from "../graph/order.ts";
import { makeDraft } from "./draft.ts";
import { observedHash } from "./observed-hash.ts";
import type { Desired, DesiredService, Observed, ObservedInstance, Plan } from "./plan.ts";
import { planGone, planService, type Scene } from "./service.ts";

export interface DiffOptions {
  hash(text: string): string;
  readonly nowMs: number;
}

/** The plan from what is there to what is wanted. Pure: the same input, in whatever order, gives the same plan. */
export function diff(desired: Desired, observed: Observed, options: DiffOptions): Plan {
  const draft = makeDraft();
  const services = inOrder(desired.services);
  const instances = Map.groupBy(byId(observed.instances), (one) => one.service);
  const scene: Scene = {
    draft,
    desired,
    nowMs: options.nowMs,
    instancesOf: (key) => instances.get(key) ?? [],
    ready: new Map(),
    leaving: leavingOf(services, instances),
  };
  for (const service of services) planService(scene, service);
  const wanted = new Set(services.map(({ key }) => key));
  for (const key of [...instances.keys()].sort()) if (!wanted.has(key)) planGone(scene, key);
  return {
    desired: desired.hash,
    observed: observedHash(observed, options.hash),
    steps: draft.steps,
    notes: draft.notes,
  };
}

/** Needed services first, otherwise by key. A cycle (the language refuses them) falls back to keys. */
function inOrder(services: readonly DesiredService[]): readonly DesiredService[] {
  const sorted = [...services].sort((a, b) => (a.key < b.key ? -1 : 1));
  const byKey = new Map(sorted.map((service) => [service.key, service]));
  const found = order(sorted.map(({ key, needs }) => ({ id: key, after: needs.filter((need) => byKey.has(need)) })));
  return found.kind !== "ordered" ? sorted : found.layers.flat().flatMap((key) => byKey.get(key) ?? []);
}

function byId(instances: readonly ObservedInstance[]): readonly ObservedInstance[] {
  return [...instances].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Per service that goes to none: the running instances of the leaving services that need it, which stop before it does. */
function leavingOf(
  services: readonly DesiredService[],
  instances: ReadonlyMap<string, readonly ObservedInstance[]>,
): ReadonlyMap<string, readonly ObservedInstance[]> {
  const leaving = new Map<string, ObservedInstance[]>();
  for (const service of services) {
    if (service.replicas > 0) continue;
    const running = (instances.get(service.key) ?? []).filter((one) => one.state === "running");
    for (const need of service.needs) leaving.set(need, [...(leaving.get(need) ?? []), ...running]);
  }
  return leaving;
}
