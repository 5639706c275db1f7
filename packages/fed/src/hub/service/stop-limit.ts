import type { ResolvedService } from "./service.ts";

/** Beside its grace: to be told, to be killed, and for the steps in between. */
const aroundMs = 15_000;
/** For what still runs of services that the lab has no more, and for what happens side by side with too few hands. */
const restMs = 60_000;

/**
 * How long a stop of everything may take when each service needs its whole time: requests under way may take the grace, the
 * service itself takes it again and is killed after it. What others need ends after them.
 */
export function stopLimitMs(services: readonly Pick<ResolvedService, "key" | "needs" | "stopGraceMs">[]): number {
  const byKey = new Map(services.map((service) => [service.key, service]));
  const known = new Map<string, number>();
  const longest = (key: string): number => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const service = byKey.get(key);
    if (service === undefined) return 0;
    // A cycle, which a good lab does not have, counts once.
    known.set(key, 0);
    const own = 2 * service.stopGraceMs + aroundMs + Math.max(0, ...service.needs.map(longest));
    known.set(key, own);
    return own;
  };
  return restMs + Math.max(0, ...services.map(({ key }) => longest(key)));
}
