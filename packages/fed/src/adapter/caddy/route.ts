/** One route in Caddy's words: a look at the switchboard, and a proxy for each lane that it may name. */
import type { IngressRoute } from "#port/ingress.ts";
import { sessionCookieName } from "#wire/session.ts";
import { type Lane, laneExpression, lanes, lineId, plainHost } from "./board.ts";
import type { Json, JsonObject } from "./json.ts";
import { limit } from "./limit.ts";

/** What the parts of a configuration are made from. */
export interface RouteNeeds {
  /** The switchboard. */
  readonly folder: string;
  readonly seats: number;
  /** This Caddy keeps upgraded connections while its configuration changes, when told so. */
  readonly keepsStreams: boolean;
}

/** How Caddy names the upstream that is in this seat at the moment, in its configuration and in its counts. */
export function seatKey(id: string, lane: Lane, seat: number): string {
  return `{http.regexp.${groupName(id, lane)}.${seat + 1}}`;
}

function groupName(id: string, lane: Lane): string {
  return `fed-${id}-${lane}`;
}

/** Answers for a host name; also written with the root's trailing dot, which Caddy takes for another one. */
export function hostRoute(route: IngressRoute, host: string, needs: RouteNeeds): Json {
  const name = plainHost(host);
  return {
    match: [{ host: [name, `${name}.`] }],
    handle: [{ handler: "subroute", routes: lineRoutes(route, needs) }],
    terminal: true,
  };
}

/** Answers with who is behind the route now, or says that nobody is. */
export function lineRoutes(route: IngressRoute, needs: RouteNeeds): readonly Json[] {
  const id = lineId(route);
  return [
    {
      match: [{ file: { root: `${needs.folder}/${id}`, try_files: ["*"], try_policy: "first_exist" } }],
      handle: [{ handler: "subroute", routes: lanes.map((lane) => laneRoute(id, lane, needs)) }],
    },
    { handle: [nobodyServes(route.service)], terminal: true },
  ];
}

function laneRoute(id: string, lane: Lane, needs: RouteNeeds): Json {
  const named = { name: groupName(id, lane), pattern: laneExpression(lane, needs.seats) };
  return {
    match: [{ vars_regexp: { "{http.matchers.file.relative}": named } }],
    handle: [proxy(id, lane, needs)],
    terminal: true,
  };
}

function proxy(id: string, lane: Lane, { seats, keepsStreams }: RouteNeeds): Json {
  return {
    handler: "reverse_proxy",
    // What comes goes on at once. Not -1, which would do that, too, but no longer ends an instance's work when its client leaves.
    flush_interval: -2,
    // A seat whose instance refuses is passed over: by turns, so that the next try is another instance.
    load_balancing: { selection_policy: { policy: "round_robin" }, retries: 2 * seats },
    headers: sessionStaysBehind,
    transport: {
      protocol: "http",
      dial_timeout: `${limit.connectMs}ms`,
      // Who names one of these names all: the others have Caddy's defaults only when none is named.
      keep_alive: {
        idle_timeout: `${limit.instanceIdleMs}ms`,
        max_idle_conns_per_host: limit.instanceConnections,
        probe_interval: "30s",
      },
    },
    upstreams: Array.from({ length: seats }, (_, seat) => ({ dial: seatKey(id, lane, seat) })),
    ...(keepsStreams ? { stream_close_delay: "8760h" } : {}),
  };
}

/** As in the builtin ingress: no service sees the session of who visits the dashboard, none can set one. */
const sessionStaysBehind: JsonObject = {
  request: {
    replace: {
      Cookie: [
        { search_regexp: `(^|;)\\s*${sessionCookieName}\\s*=[^;]*`, replace: "" },
        { search_regexp: "^\\s*;\\s*", replace: "" },
      ],
    },
  },
  response: {
    replace: { "Set-Cookie": [{ search_regexp: `^[\\s=]*${sessionCookieName}\\s*=.*$`, replace: "" }] },
  },
};

function nobodyServes(service: string): Json {
  return {
    handler: "static_response",
    status_code: 503,
    headers: { "Content-Type": ["text/plain; charset=utf-8"], "Retry-After": ["2"], "Cache-Control": ["no-store"] },
    body: `${service} is not running. See \`fed status\`.\n`,
  };
}

/** Keeps Caddy counting what is still in flight by these keys: an upstream that no proxy names is forgotten. Nothing matches it. */
export function countingRoute(keys: readonly string[]): Json {
  return {
    "@id": "fed-leaving",
    match: [{ host: ["fed-leaving.invalid"] }],
    handle: [{ handler: "reverse_proxy", upstreams: keys.map((dial) => ({ dial })) }],
    terminal: true,
  };
}

/**
 * Shows which configuration answers, and as of which switch Caddy sees the switchboard: a question to this name answers with both. The
 * name stands alone: of two conditions in one Caddy may ask for the file first, and look into a folder at each request to any name.
 */
export function lookRoute(folder: string, turn: string): Json {
  const answer = {
    "@id": "fed-look",
    match: [{ file: { root: `${folder}/now`, try_files: ["*"], try_policy: "first_exist" } }],
    handle: [{ handler: "static_response", status_code: 200, body: `${turn} {http.matchers.file.relative}` }],
    terminal: true,
  };
  const blind = { handle: [{ handler: "static_response", status_code: 404 }] };
  return { match: [{ host: [lookName] }], handle: [{ handler: "subroute", routes: [answer, blind] }], terminal: true };
}

export const lookName = "fed-switchboard.invalid";

/** What the look route's answer tells. */
export function readLook(text: string): { readonly turn: string; readonly name: string } {
  const [turn = "", name = ""] = text.split(" ");
  return { turn, name };
}
