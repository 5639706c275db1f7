import type { DesiredService, ObservedInstance } from "./plan.ts";

/** The instances of a wanted service, by what they are to it. Each list by id; one that is unseen is in `all` alone. */
export interface Survey {
  readonly all: readonly ObservedInstance[];
  readonly running: readonly ObservedInstance[];
  /** Of the wanted spec, not unhealthy, one for a wanted replica: they stay. */
  readonly fit: readonly ObservedInstance[];
  /** The only ones of their replica, but unhealthy: to be replaced. */
  readonly sick: readonly ObservedInstance[];
  /** Of the wanted spec, but more than are wanted. */
  readonly surplus: readonly ObservedInstance[];
  /** Of other specs. */
  readonly old: readonly ObservedInstance[];
  readonly exited: readonly ObservedInstance[];
  /** Replica numbers that need a start: those nothing runs for, and those of the sick. Ascending. */
  readonly missing: readonly number[];
}

/** `all`: the service's instances, by id. */
export function survey(all: readonly ObservedInstance[], service: DesiredService): Survey {
  const there = all.filter(({ unseen }) => unseen !== true);
  const running = there.filter(({ state }) => state === "running");
  const wanted = Map.groupBy(
    running.filter(({ spec }) => spec === service.spec),
    ({ replica }) => replica,
  );
  const fit = new Set<ObservedInstance>();
  const sick = new Set<ObservedInstance>();
  const missing: number[] = [];
  for (let replica = 0; replica < service.replicas; replica++) {
    const [best] = (wanted.get(replica) ?? []).sort((a, b) => fitness(b) - fitness(a));
    if (best && best.health !== "unhealthy") fit.add(best);
    else missing.push(replica);
    if (best?.health === "unhealthy") sick.add(best);
  }
  return {
    all,
    running,
    fit: running.filter((one) => fit.has(one)),
    sick: running.filter((one) => sick.has(one)),
    surplus: running.filter((one) => one.spec === service.spec && !fit.has(one) && !sick.has(one)),
    old: running.filter((one) => one.spec !== service.spec),
    exited: there.filter(({ state }) => state === "exited"),
    missing,
  };
}

function fitness({ health, routed }: ObservedInstance): number {
  const known = { healthy: 4, unknown: 2, unhealthy: 0 };
  return known[health] + (routed ? 1 : 0);
}

/** Instances of one spec that can answer until the wanted ones do. */
export interface Serving {
  readonly spec: string;
  /** Running and not unhealthy; at least one. */
  readonly members: readonly ObservedInstance[];
}

/**
 * Who serves best as things are: healthy before unknown, what is routed before what is not, the wanted spec before others,
 * then the youngest.
 */
export function bestServing(running: readonly ObservedInstance[], wantedSpec: string): Serving | undefined {
  const able = running.filter(({ health }) => health !== "unhealthy");
  const rank = (one: ObservedInstance) => fitness(one) * 2 + (one.spec === wantedSpec ? 1 : 0);
  const best = able.reduce<ObservedInstance | undefined>(
    (found, one) => (found === undefined || rank(one) >= rank(found) ? one : found),
    undefined,
  );
  return best && { spec: best.spec, members: able.filter(({ spec }) => spec === best.spec) };
}

export function isHealthy({ state, health }: ObservedInstance): boolean {
  return state === "running" && health === "healthy";
}

/** Gets requests and may well answer them. */
export function isServing({ state, health, routed }: ObservedInstance): boolean {
  return routed && state === "running" && health !== "unhealthy";
}
