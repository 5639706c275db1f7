import { isIP } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#base/fault.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import { accessOf, type Caller, type SessionCookie } from "#wire/handler.ts";
import { mayDo } from "#wire/role.ts";
import { sessionCookieName } from "#wire/session.ts";

/** What a request shows to say who it comes from. */
export interface Credentials {
  /** Of the header `authorization: Bearer …`. */
  readonly bearer?: string;
  /** Of the session's cookie; not looked at when there is a bearer. */
  readonly cookie?: string;
  readonly address: string;
}

/** Somebody known may not do this, or another site tries it through somebody's browser. */
export interface Refusal {
  readonly endpoint: string;
  readonly reason: string;
  readonly caller: Caller;
  readonly address: string;
}

const cookieValue = /^[\w-]{1,200}$/;

export function credentialsOf(request: FastifyRequest): Credentials {
  const address = addressOf(request);
  const [, bearer] = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(request.headers.authorization ?? "") ?? [];
  if (bearer !== undefined) return { bearer, address };
  const cookie = readCookie(request.headers.cookie ?? "");
  return cookie === undefined ? { address } : { cookie, address };
}

/**
 * Where it comes from. A proxy on this machine is believed (`trustProxy` of the server), so that who guesses passwords
 * through it does not slow down everybody; what it says is taken for an address only when it is one.
 */
function addressOf(request: FastifyRequest): string {
  const address = isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? "") : request.ip;
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

/** The session of a `cookie` header; undefined when it is not there, there twice, or no value of ours. */
function readCookie(header: string): string | undefined {
  const found = header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookieName}=`))
    .map((pair) => pair.slice(sessionCookieName.length + 1));
  const [value] = found;
  return found.length === 1 && value !== undefined && cookieValue.test(value) ? value : undefined;
}

export function makeCookie(request: FastifyRequest, reply: FastifyReply): SessionCookie {
  // The browser says itself whether it came by https; the hub cannot know what a proxy before it does.
  const secure = request.headers.origin?.startsWith("https://") ? "; Secure" : "";
  const set = (value: string, maxAgeSeconds: number) =>
    void reply.header(
      "set-cookie",
      `${sessionCookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeSeconds)}${secure}`,
    );
  return {
    set(secret, maxAgeSeconds) {
      if (!cookieValue.test(secret)) throw new TypeError("a session's secret has letters that no cookie may have");
      set(secret, maxAgeSeconds);
    },
    clear: () => set("", 0),
  };
}

/** Throws Fault `unauthenticated` or `denied` unless the caller may do this. */
export function requireAccess(endpoint: Endpoint, caller: Caller): void {
  if (mayDo(accessOf(caller), endpoint.role)) return;
  if (caller.kind === "nobody") {
    throw new Fault("unauthenticated", "the hub does not know this caller", {
      hint: "Sign in: `fed login URL`, or on the hub's machine --data with its data folder.",
    });
  }
  if (endpoint.role === "local") {
    throw new Fault("denied", "only who works on the hub's own machine may do this", {
      hint: "Run it there, as the user the hub runs as.",
    });
  }
  throw new Fault("denied", `this needs the role ${endpoint.role}; yours is ${accessOf(caller)}`, {
    hint: "Ask an admin of this hub.",
  });
}

/**
 * Throws Fault `denied` when another site acts through somebody's browser: what changes something and comes from a
 * browser must come from our own pages, and a browser's session must show the token that only our pages can read. A
 * bearer is added by programs only, so it proves enough.
 */
export function requireOwnPage(
  request: FastifyRequest,
  endpoint: Endpoint,
  known: { readonly caller: Caller; readonly credentials: Credentials },
  checkCsrf: (caller: Caller, header: string | undefined) => boolean,
): void {
  if (endpoint.method === "GET" || known.credentials.bearer !== undefined) return;
  if (isForeign(request)) {
    throw new Fault("denied", "the request comes from another site", {
      hint: "Use the hub's own pages. A proxy before the hub has to pass the Host header on.",
    });
  }
  const { caller } = known;
  if (caller.kind !== "user" || caller.session.kind !== "browser") return;
  const header = request.headers["x-csrf-token"];
  if (checkCsrf(caller, typeof header === "string" ? header : undefined)) return;
  throw new Fault("denied", "the request has no valid x-csrf-token", { hint: "Load the page again." });
}

/** `same-site` counts as foreign: another port of this host is another program. */
function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site === "cross-site" || site === "same-site") return true;
  const { origin, host } = headers;
  return origin !== undefined && URL.parse(origin)?.host !== host;
}
