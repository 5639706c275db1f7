import { isIP } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault, isFault } from "#base/fault.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import { accessOf, type Caller, type SessionCookie } from "#wire/handler.ts";
import { mayDo } from "#wire/role.ts";
import { sessionCookieName } from "#wire/session.ts";

/** What a request shows to say who it comes from. */
export interface Credentials {
  /** Of the header `authorization: Bearer …`, or an API token that is the password of `Basic …`: Grafana and Prometheus have a field for one. */
  readonly bearer?: string;
  /** The bearer came as a password. A browser keeps those by itself, and sends them for other sites too. */
  readonly basic?: true;
  /** Of the session's cookie; not looked at when there is a bearer. */
  readonly cookie?: string;
  readonly address: string;
}

/** Why a call is refused, when it is to be told: not for who has shown nothing and is asked to sign in. Never a secret. */
export function reasonToTell(thrown: unknown, { bearer, cookie }: Credentials): string | undefined {
  if (!isFault(thrown)) return undefined;
  if (thrown.code === "denied") return thrown.message;
  if (thrown.code !== "unauthenticated" || (bearer ?? cookie) === undefined) return undefined;
  return `the ${bearer === undefined ? "cookie" : "bearer"} shown is not known, or no longer good`;
}

/** Who calls, and by what that is known. */
export interface Known {
  readonly caller: Caller;
  readonly credentials: Credentials;
}

export const nobody: Caller = { kind: "nobody" };

const cookieValue = /^[\w-]{1,200}$/;

/** Cookies of our name that are looked at; a request with more shows none. */
const mostCookies = 4;

/** Finds out who calls. `identify` is asked only when something is shown. */
export async function readCaller(
  request: FastifyRequest,
  identify: (credentials: Credentials) => Promise<Caller>,
): Promise<Known> {
  const address = addressOf(request);
  const shown = readAuthorization(request.headers.authorization ?? "");
  if (shown !== undefined) {
    const credentials = { ...shown, address };
    return { caller: await identify(credentials), credentials };
  }
  const cookies = readCookies(request.headers.cookie ?? "");
  const known: Known[] = [];
  for (const cookie of cookies) {
    const credentials = { cookie, address };
    const caller = await identify(credentials);
    if (caller.kind !== "nobody") known.push({ caller, credentials });
  }
  const [one, another] = known;
  // With two nobody can say which was slipped in, and nobody acts under a name that is not theirs.
  if (one !== undefined && another === undefined) return one;
  const [cookie] = cookies;
  return { caller: nobody, credentials: cookie === undefined ? { address } : { cookie, address } };
}

const secret = /^[\x21-\x7e]{1,4096}$/;

/** Name and API token; any other password is for a proxy before the hub, and none of ours. */
const nameAndToken = /^[^:]*:(fed_[\x21-\x7e]{1,4092})$/;

/**
 * The secret of `Bearer …`, or the API token that is the password of `Basic …`, under whatever name. Never a password that a
 * person has thought of: there is nothing to guess, so nothing to slow down.
 */
function readAuthorization(header: string): Pick<Credentials, "bearer" | "basic"> | undefined {
  const [, scheme = "", text = ""] = /^(Bearer|Basic) (\S{1,6000})$/i.exec(header) ?? [];
  if (scheme.toLowerCase() === "bearer") return secret.test(text) ? { bearer: text } : undefined;
  const [, bearer] = nameAndToken.exec(Buffer.from(text, "base64").toString("latin1")) ?? [];
  return bearer === undefined ? undefined : { bearer, basic: true };
}

/**
 * Where it comes from. A proxy on this machine is believed (`trustProxy` of the server), so that who guesses passwords
 * through it does not slow down everybody; what it says is taken for an address only when it is one.
 */
function addressOf(request: FastifyRequest): string {
  const address = isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? "") : request.ip;
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

/**
 * What a `cookie` header shows as sessions; mostly one or none. A program at a name below the hub's can add its own and
 * have it come first, which must not lock people out.
 */
function readCookies(header: string): readonly string[] {
  const found = header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookieName}=`))
    .map((pair) => pair.slice(sessionCookieName.length + 1))
    .filter((value) => cookieValue.test(value));
  const values = [...new Set(found)];
  return values.length > mostCookies ? [] : values;
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
 * bearer is added by programs only, so it proves enough; a password may have been kept by a browser.
 */
export function requireOwnPage(
  request: FastifyRequest,
  endpoint: Endpoint,
  known: { readonly caller: Caller; readonly credentials: Credentials },
  checkCsrf: (caller: Caller, header: string | undefined) => boolean,
): void {
  const { bearer, basic } = known.credentials;
  if (endpoint.method === "GET" || (bearer !== undefined && basic === undefined)) return;
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
