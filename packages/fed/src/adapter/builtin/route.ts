import type { Upstream } from "./upstream.ts";

/** A route as requests meet it. */
export interface LiveRoute {
  readonly service: string;
  /** What its door speaks; undefined for a route by host name. */
  readonly door: "http" | "tcp" | undefined;
  /** Also served over TLS. */
  readonly secure?: boolean;
  /** Where else its door is open. */
  readonly hosts?: readonly string[] | undefined;
  readonly upstreams: readonly Upstream[];
  /** Grows with every choice, so that equals take turns. */
  turn: number;
}

/** The upstream with the least in flight among those not tried; one that just could not be reached only when nothing else is left. */
export function pickUpstream(route: LiveRoute, tried: readonly Upstream[], tickMs: number): Upstream | undefined {
  const { upstreams } = route;
  const first = route.turn++;
  let best: Upstream | undefined;
  let bestLoad = Number.POSITIVE_INFINITY;
  for (let i = 0; i < upstreams.length; i++) {
    const upstream = upstreams[(first + i) % upstreams.length] as Upstream;
    const load = upstream.inFlight + (upstream.avoidUntilMs > tickMs ? 1e9 : 0);
    if (load < bestLoad && !tried.includes(upstream)) {
      best = upstream;
      bestLoad = load;
    }
  }
  return best;
}
