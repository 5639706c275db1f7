import { Fault } from "#base/fault.ts";
import type { IngressRoute } from "#port/ingress.ts";

/** Routes, ready for looking up. Never changed: a switch replaces the whole table. */
export interface Table<Route> {
  /** By host name, as `hostName` writes it. */
  readonly hosts: ReadonlyMap<string, Route>;
  readonly doors: ReadonlyMap<number, Route>;
}

/** The table of these routes, each made by `build`. Fault `conflict` when two routes claim one host name or door. */
export function buildTable<Route>(
  routes: readonly IngressRoute[],
  build: (route: IngressRoute) => Route,
): Table<Route> {
  const hosts = new Map<string, Route>();
  const doors = new Map<number, Route>();
  const owner = new Map<string | number, string>();
  for (const route of routes) {
    const { match, service } = route;
    const key = match.kind === "host" ? hostName(match.host) : match.port;
    const other = owner.get(key);
    if (other !== undefined)
      throw claimedTwice(match.kind === "host" ? `the host name ${key}` : `door ${key}`, other, service);
    owner.set(key, service);
    if (typeof key === "string") hosts.set(key, build(route));
    else doors.set(key, build(route));
  }
  return { hosts, doors };
}

function claimedTwice(what: string, first: string, second: string): Fault {
  return new Fault("conflict", `${first} and ${second} both claim ${what}`, {
    hint: "give one of them another host name or port in lab.ts",
  });
}

/** The bare host name of a Host header: lower case, without port and without the root's trailing dot. */
export function hostName(authority: string): string {
  const colon = authority.indexOf(":", authority.startsWith("[") ? authority.indexOf("]") : 0);
  const host = colon === -1 ? authority : authority.slice(0, colon);
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}

/**
 * A request target in absolute form (`GET http://host/path`, RFC 9112 3.2.2) as authority and path; undefined for what
 * an ingress cannot serve (`*`, an authority alone, nonsense).
 */
export function splitTarget(target: string): { readonly authority: string; readonly path: string } | undefined {
  const [, authority, path] = /^http:\/\/([^/?#@]+)([/?][^#]*)?$/i.exec(target) ?? [];
  if (authority === undefined) return undefined;
  return { authority, path: path === undefined ? "/" : path.startsWith("?") ? `/${path}` : path };
}
