import type { IngressRoute, RouteTarget } from "#port/ingress.ts";
import type { ResolvedService } from "./service.ts";

/** The whole table of the ingress: each service by its host name and by its door, with the targets it has now. */
export function routesOf(
  services: readonly Pick<ResolvedService, "key" | "route" | "door">[],
  targets: ReadonlyMap<string, readonly RouteTarget[]>,
): readonly IngressRoute[] {
  const routes: IngressRoute[] = [];
  for (const service of services) {
    const common = { service: service.key, targets: targets.get(service.key) ?? [] };
    if (service.route !== undefined)
      routes.push({ match: { kind: "host", host: service.route.toLowerCase() }, ...common });
    if (service.door) routes.push({ match: { kind: "door", ...service.door }, ...common });
  }
  return routes;
}
