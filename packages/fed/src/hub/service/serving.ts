import type { Instance } from "#port/runtime.ts";
import type { Placed } from "./site.ts";

/** Who serves which service: by the last acknowledged switch, and with those that are under way. */
export interface Serving {
  /** What ingresses are told, switches that are under way included. */
  readonly told: ReadonlyMap<string, readonly Placed[]>;
  /** Whether the last acknowledged switch of the service sends its requests to this instance. */
  isRouted(service: string, instance: string): boolean;
  /** A switch begins. What it answers ends it: whether the ingress has acknowledged it, or who served serves on. */
  begin(service: string, targets: readonly Placed[]): (acknowledged: boolean) => void;
  /** These serve already. */
  note(service: string, targets: readonly Placed[]): void;
}

export function makeServing(): Serving {
  const told = new Map<string, readonly Placed[]>();
  const routed = new Map<string, readonly Placed[]>();
  const note = (service: string, targets: readonly Placed[]) => {
    set(told, service, targets);
    set(routed, service, targets);
  };
  return {
    told,
    isRouted: (service, id) => (routed.get(service) ?? []).some(({ instance }) => instance.id === id),
    begin(service, targets) {
      const before = told.get(service) ?? [];
      set(told, service, targets);
      return (acknowledged) => (acknowledged ? note(service, targets) : set(told, service, before));
    },
    note,
  };
}

function set(map: Map<string, readonly Placed[]>, service: string, targets: readonly Placed[]): void {
  if (targets.length === 0) map.delete(service);
  else map.set(service, targets);
}

/** The spec that should serve before a plan is made: the wished one if one of these is healthy, else any healthy one. */
export function servingSpec(
  running: readonly Instance[],
  wished: string,
  isHealthy: (id: string) => boolean,
): string | undefined {
  const specs = running.flatMap(({ id, labels }) => (isHealthy(id) ? [labels.spec] : []));
  return specs.includes(wished) ? wished : specs[0];
}
