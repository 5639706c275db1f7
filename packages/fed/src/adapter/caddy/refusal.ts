/** What Caddy means when it does not take a configuration. */
import { Fault } from "#base/fault.ts";
import type { IngressRoute } from "#port/ingress.ts";

/** `listen tcp 127.0.0.1:30001: bind: address already in use` and the like, of the system or of Caddy's own check. */
const listening = /listen(?:ing on)? (?:tcp[46]?[ /])?(?:\[[^\]]*\]|[^\s:[\]/]*):(\d+)/g;

export function explainRefusal(thrown: Fault, routes: readonly IngressRoute[]): Fault {
  const text = thrown.message;
  const port = [...text.matchAll(listening)].at(-1)?.[1];
  if (port === undefined) return thrown;
  if (text.includes("address already in use") || text.includes("listener address repeated")) {
    return inUse(port, routes, thrown);
  }
  if (!text.includes("permission denied")) return thrown;
  const owner = ownerOf(port, routes);
  const what = owner === undefined ? "the ingress" : `the door of ${owner.service}`;
  return new Fault("denied", `Caddy may not listen on port ${port}, for ${what}`, { cause: thrown });
}

/** Another program has the port of the ingress or of a door. */
export function inUse(port: string, routes: readonly IngressRoute[], cause?: unknown): Fault {
  const owner = ownerOf(port, routes);
  const what = owner === undefined ? "the ingress" : `the door of ${owner.service}`;
  const hint =
    owner === undefined
      ? "End that program, or give Caddy's ingress another address."
      : `Free port ${port}, or give ${owner.service} another one in lab.ts.`;
  return new Fault("conflict", `port ${port}, for ${what}, is in use by another program`, { hint, cause });
}

function ownerOf(port: string, routes: readonly IngressRoute[]): IngressRoute | undefined {
  return routes.find(({ match }) => match.kind === "door" && String(match.port) === port);
}
