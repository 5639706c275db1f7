import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#base/fault.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import { accessOf, type Caller, type SessionCookie } from "#wire/handler.ts";
import { mayDo } from "#wire/role.ts";

/** What a request shows to say who it comes from. */
export interface Credentials {
  /** Of the header `authorization: Bearer …`. */
  readonly bearer: string | undefined;
  /** Of the session's cookie; not looked at when there is a bearer. */
  readonly cookie: string | undefined;
  readonly address: string;
}

/**
 * Without the prefix `__Host-`, because that asks for https, and a hub on loopback or in a home network has none; a
 * proxy that adds https adds `Secure` in vain.
 */
const cookieName = "fed_session";

export function credentialsOf(request: FastifyRequest): Credentials {
  const [, bearer] = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(request.headers.authorization ?? "") ?? [];
  const cookie = bearer === undefined ? readCookie(request.headers.cookie ?? "", cookieName) : undefined;
  return { bearer, cookie, address: request.ip };
}

/** The value of a cookie; undefined when it is not there, there twice, or no value of ours. */
export function readCookie(header: string, name: string): string | undefined {
  const found = header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = found;
  return found.length === 1 && value !== undefined && /^[\w-]{1,200}$/.test(value) ? value : undefined;
}

export function makeCookie(reply: FastifyReply): SessionCookie {
  const set = (value: string, maxAgeSeconds: number) =>
    void reply.header(
      "set-cookie",
      `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`,
    );
  return { set, clear: () => set("", 0) };
}

/**
 * Another site must not act through somebody's browser: what changes something and comes from a browser must come from
 * our own pages, and a browser's session must show the token that only our pages can read.
 */
export function requireSameSite(
  request: FastifyRequest,
  endpoint: Endpoint,
  caller: Caller,
  checkCsrf: (caller: Caller, header: string | undefined) => boolean,
  refuse: (reason: string) => void,
): void {
  if (endpoint.method === "GET" || request.headers.authorization !== undefined) return;
  if (isForeign(request)) {
    refuse("the request comes from another site");
    throw new Fault("denied", "the request comes from another site", { hint: "Use the hub's own pages." });
  }
  if (caller.kind !== "user" || caller.session.kind !== "browser") return;
  const header = request.headers["x-csrf-token"];
  if (checkCsrf(caller, typeof header === "string" ? header : undefined)) return;
  refuse("the request has no valid x-csrf-token");
  throw new Fault("denied", "the request has no valid x-csrf-token", { hint: "Load the page again." });
}

function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site === "cross-site" || site === "same-site") return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  const parsed = URL.parse(origin);
  return parsed === null || parsed.host !== host;
}

export function requireAccess(endpoint: Endpoint, caller: Caller, refuse: (reason: string) => void): void {
  if (mayDo(accessOf(caller), endpoint.role)) return;
  if (caller.kind === "nobody") {
    throw new Fault("unauthenticated", "the hub does not know this caller", {
      hint: "Sign in: `fed login URL`, or on the hub's machine --data with its data folder.",
    });
  }
  refuse(`needs ${endpoint.role}`);
  const who =
    endpoint.role === "local"
      ? "who works on the hub's own machine"
      : `an ${endpoint.role}`.replace("an viewer", "a viewer");
  throw new Fault("denied", `only ${who} may do this; you are ${accessOf(caller)}`, {
    hint: endpoint.role === "local" ? "Run it there, as the user the hub runs as." : "Ask an admin of this hub.",
  });
}
