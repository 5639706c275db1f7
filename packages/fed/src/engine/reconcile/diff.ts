import { Fault } from "#base/fault.ts";
import { compareText, order } from "#engine/graph/order.ts";
import { makeDraft } from "./draft.ts";
import { planGone } from "./gone.ts";
import { observedHash } from "./observed-hash.ts";
import type { Desired, DesiredService, Observed, Plan } from "./plan.ts";
import type { Scene } from "./ready.ts";
import { planService } from "./service.ts";

export interface DiffOptions {
  hash(text: string): string;
  readonly nowMs: number;
}

/**
 * The plan from what is there to what is wanted. Pure: the same input, in whatever order, gives the same plan. Fault
 * `invalid` when services need each other in a circle or a key is wanted twice.
 */
export function diff(desired: Desired, observed: Observed, options: DiffOptions): Plan {
  const services = neededFirst(desired.services);
  const instances = [...observed.instances].sort((a, b) => compareText(a.id, b.id));
  const byService = Map.groupBy(instances, ({ service }) => service);
  const specs = [...services, ...instances].map(({ spec }) => spec);
  const scene: Scene = {
    draft: makeDraft(specs),
    nowMs: options.nowMs,
    earlier: desired.earlier,
    instancesOf: (key) => byService.get(key) ?? [],
    ready: new Map(),
  };
  for (const service of services) {
    if (service.replicas > 0) planService(scene, service);
    else scene.ready.set(service.key, { kind: "never", why: "is to have 0 replicas" });
    if (service.replicas === 0 && service.hold?.kind === "waits")
      scene.draft.note(`${service.key} ${service.hold.why}`);
  }
  planGone(scene, desired, instances);
  const { steps, notes } = scene.draft;
  return { desired: desired.hash, observed: observedHash(observed, options.hash), steps, notes };
}

/** Each service after those it needs, by key where that leaves a choice. */
function neededFirst(services: readonly DesiredService[]): readonly DesiredService[] {
  const byKey = new Map(services.map((service) => [service.key, service]));
  const found = order(services.map(({ key, needs }) => ({ id: key, after: needs.filter((need) => byKey.has(need)) })));
  switch (found.kind) {
    case "ordered":
      return found.layers.flat().flatMap((key) => byKey.get(key) ?? []);
    case "cycle":
      throw new Fault("invalid", `services need each other: ${[...found.cycle, found.cycle[0]].join(" → ")}`, {
        hint: "Take one of these needs out of the lab.",
      });
    default:
      throw new Fault("invalid", `the service ${found.id} is wanted twice`);
  }
}
