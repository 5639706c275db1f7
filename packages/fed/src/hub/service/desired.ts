import type { Desired, Hold, SpecFields } from "#engine/reconcile/plan.ts";
import type { Wanted, WantedService } from "./wanted.ts";

/** What of the services the hub no longer wants to run because it ends: nothing of it, its processes, or everything. */
export type Leaving = "nothing" | "processes" | "everything";

export interface DesiredNeeds {
  readonly earlier: Readonly<Record<string, SpecFields>>;
  readonly leaving: Leaving;
  /** Back-off after failures. */
  holdOf(service: WantedService): Hold | undefined;
  /** Why nobody knows what runs on a machine. */
  unseenOn(machine: string): string | undefined;
}

/** What is wanted, in the engine's words. Pure. */
export function desiredFrom(wanted: Wanted, needs: DesiredNeeds): Desired {
  return {
    hash: wanted.hash,
    earlier: needs.earlier,
    services: wanted.services.map((service) => ({
      ...{ key: service.key, spec: service.spec, fields: service.fields },
      replicas: leaves(service, needs.leaving) || isNotToRun(service) ? 0 : service.replicas,
      needs: service.needs.filter((need) => need !== service.key),
      ...{ stopFirst: service.stopFirst, exclusive: service.exclusive, fallback: service.fallback },
      hold: holdFor(service, needs),
    })),
  };
}

function isNotToRun({ unsupported, withdrawn }: WantedService): boolean {
  return unsupported !== undefined || withdrawn === true;
}

/** Containers outlive the hub, unless somebody wants everything to end. */
export function leaves(service: Pick<WantedService, "container">, leaving: Leaving): boolean {
  return leaving === "everything" || (leaving === "processes" && service.container === undefined);
}

function holdFor(service: WantedService, needs: DesiredNeeds): Hold | undefined {
  if (service.container !== undefined) {
    if (needs.leaving === "processes") return { kind: "unseen", why: "goes on without the hub" };
    const why = needs.unseenOn(service.machine);
    if (why !== undefined) return { kind: "unseen", why: `is on ${service.machine}, which cannot be asked: ${why}` };
  }
  if (service.unsupported !== undefined) return { kind: "gaveUp", crashes: 0, last: service.unsupported };
  if (service.held !== undefined) return { kind: "waits", why: service.held };
  return needs.holdOf(service);
}
