/**
 * Caddy's whole configuration with fed's part in it. fed owns the servers called `fed…` and what has an `@id` that begins with `fed-`;
 * all else is other people's and stays as it is. Pure.
 */
import type { GivenCertificate, IngressRoute } from "#port/ingress.ts";
import { lineId } from "./board.ts";
import { isList, type Json, type JsonObject, listOf, objectOf, sameJson } from "./json.ts";
import { countingRoute, hostRoute, lineRoutes, lookRoute, type RouteNeeds } from "./route.ts";
import { withTls } from "./tls.ts";

export interface Wanted extends RouteNeeds {
  readonly routes: readonly IngressRoute[];
  /** Where Caddy takes requests from outside: `:80` and `:443`, say. */
  readonly listen: { readonly http: string; readonly https: string };
  /** Keys of upstreams whose requests are still to be counted, though no route leads there. */
  readonly leaving: readonly string[];
  /** Whether the machine has this address. Where it has not (yet), no door listens. */
  readonly isLocal: (host: string) => boolean;
  readonly certificates: readonly GivenCertificate[];
  readonly acme: { readonly email?: string | undefined; readonly directory?: string | undefined };
  /** How long an old server goes on beside the new one when the configuration has changed. */
  readonly settleMs: number;
  /** What the configuration is to be known by if it changes: another word each time. */
  readonly turn: string;
}

/** The configuration with fed's part as wanted; undefined when it is so already. */
export function withFed(config: Json, wanted: Wanted): Json | undefined {
  const turn = turnOf(config) ?? wanted.turn;
  const counted = leavingOf(config);
  const isCounted = wanted.leaving.every((key) => counted.includes(key));
  // What is counted without need does no harm, and is no reason for a change.
  const leaving = isCounted ? counted : wanted.leaving;
  if (sameJson(build(config, { ...wanted, leaving }, turn), config)) return undefined;
  return build(config, wanted, wanted.turn);
}

/** Addresses that this configuration takes and that one does not have yet. */
export function newAddresses(config: Json, next: Json): readonly string[] {
  const before = new Set(listens(config));
  return listens(next).filter((address) => !before.has(address) && !address.startsWith("unix/"));
}

function listens(config: Json): readonly string[] {
  const servers = objectOf(objectOf(objectOf(objectOf(config).apps).http).servers);
  return Object.values(servers).flatMap((server) => listOf(objectOf(server).listen).map(String));
}

/** Keys that are counted though no route leads there. */
function leavingOf(config: Json): readonly string[] {
  const route = findId(config, "fed-leaving");
  const [proxy] = listOf(objectOf(route).handle);
  return listOf(objectOf(proxy).upstreams).map((upstream) => String(objectOf(upstream).dial));
}

function findId(value: Json | undefined, id: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!isList(value) && value["@id"] === id) return value;
  for (const part of Object.values(value)) {
    const found = findId(part, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function build(config: Json, wanted: Wanted, turn: string): Json {
  const root = objectOf(config);
  const apps = objectOf(root.apps);
  const http = objectOf(apps.http);
  const others = Object.fromEntries(Object.entries(objectOf(http.servers)).filter(([name]) => !isOurs(name)));
  const servers: Record<string, Json> = { ...withoutOurs(others) };
  const secure = wanted.routes.filter(({ match }) => match.kind === "host" && match.tls !== undefined);
  for (const [name, listen, routes] of [
    ["fed", wanted.listen.http, wanted.routes],
    ["fed-tls", wanted.listen.https, secure],
  ] as const) {
    // An id may be there once only, so what bears one is in the first.
    const parts = [...(name === "fed" ? helpers(wanted, turn) : []), ...hostRoutes(routes, wanted)];
    const theirs = Object.entries(servers).find(([, server]) => listensOn(server, listen))?.[0];
    if (theirs !== undefined) {
      servers[theirs] = inserted(objectOf(servers[theirs]), parts, `fed-in-${name}`);
    } else if (name === "fed" || secure.length > 0) {
      servers[name] = ownServer(name, [listen], parts, turn);
    }
  }
  for (const route of wanted.routes) {
    if (route.match.kind !== "door") continue;
    const { port, hosts = [] } = route.match;
    const addresses = ["127.0.0.1", ...hosts.filter((host) => wanted.isLocal(host))];
    const listen = [...new Set(addresses)].map((host) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
    const name = `fed-${lineId(route)}`;
    servers[name] = ownServer(name, listen, lineRoutes(route, wanted), turn);
  }
  const shutdown = { shutdown_delay: `${wanted.settleMs}ms` };
  const next = { ...shutdown, ...http, servers };
  return withTls({ ...root, apps: { ...apps, http: next } }, secure, wanted);
}

/** Which change of ours the configuration is. */
export function turnOf(config: Json): string | undefined {
  const [answer] = listOf(objectOf(findId(config, "fed-look")).handle);
  return /^\w+/.exec(String(objectOf(answer).body ?? ""))?.[0];
}

function isOurs(serverName: string): boolean {
  return serverName === "fed" || serverName.startsWith("fed-");
}

/** Other people's servers without the route that fed had put into them. */
function withoutOurs(servers: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => {
      const { routes } = objectOf(server);
      if (!isList(routes)) return [name, server];
      return [name, { ...objectOf(server), routes: routes.filter((route) => !hasOurId(route)) }];
    }),
  );
}

function hasOurId(part: Json): boolean {
  return String(objectOf(part)["@id"] ?? "").startsWith("fed-");
}

function listensOn(server: Json | undefined, address: string): boolean {
  return listOf(objectOf(server).listen).some((one) => {
    const [theirs, ours] = [splitAddress(String(one)), splitAddress(address)];
    return theirs.port === ours.port && (theirs.host === ours.host || isWild(theirs.host));
  });
}

export function isWild(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "[::]";
}

export function splitAddress(address: string): { readonly host: string; readonly port: string } {
  const plain = address.replace(/^tcp[46]?\//, "");
  const colon = plain.lastIndexOf(":");
  return { host: plain.slice(0, Math.max(0, colon)), port: plain.slice(colon + 1) };
}

function hostRoutes(routes: readonly IngressRoute[], wanted: Wanted): readonly Json[] {
  return routes.flatMap((route) => (route.match.kind === "host" ? [hostRoute(route, route.match.host, wanted)] : []));
}

function helpers({ folder, leaving }: Wanted, turn: string): readonly Json[] {
  return [lookRoute(folder, turn), ...(leaving.length === 0 ? [] : [countingRoute(leaving)])];
}

/** Our routes first in somebody else's server, which answers for all other names. */
function inserted(server: JsonObject, routes: readonly Json[], id: string): Json {
  const ours = { "@id": id, handle: [{ handler: "subroute", routes }] };
  return { ...server, routes: [ours, ...listOf(server.routes)] };
}

/**
 * A server of ours. Beside its addresses it listens on a socket that the next configuration does not have: so Caddy lets it go on for
 * a while beside its successor, and it sends its clients there by closing each connection after an answer, instead of closing idle
 * connections just when a request comes.
 */
function ownServer(name: string, listen: readonly string[], routes: readonly Json[], turn: string): Json {
  return {
    "@id": `fed-server-${name}`,
    listen: [...listen, `unix/@fed-${turn}-${name}`],
    protocols: ["h1", "h2"],
    ...(name === "fed-tls" ? { automatic_https: { disable_redirects: true } } : { automatic_https: { disable: true } }),
    routes: [goodbye, ...routes, ...(name.startsWith("fed-door") ? [] : [unknownName])],
    errors: { routes: [{ handle: [noAnswer] }] },
  };
}

const goodbye: Json = {
  match: [{ vars: { "{http.shutting_down}": ["true"] } }],
  handle: [{ handler: "headers", response: { set: { Connection: ["close"] }, deferred: true } }],
};

const plainText = { "Content-Type": ["text/plain; charset=utf-8"], "Cache-Control": ["no-store"] };

const unknownName: Json = {
  handle: [
    {
      handler: "static_response",
      status_code: 404,
      headers: plainText,
      body: "No service is called {http.request.host} here. `fed status` shows the names that are served.\n",
    },
  ],
};

const noAnswer: Json = {
  handler: "static_response",
  status_code: "{http.error.status_code}",
  headers: plainText,
  body: "The service gave no answer ({http.error.status_code}). See `fed status` and `fed logs`.\n",
};
