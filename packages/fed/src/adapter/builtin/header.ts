import { sessionCookieName } from "#wire/session.ts";

/**
 * What happens to headers on their way: those that speak of one connection only stay behind (RFC 9110 7.6.1), who the
 * client was is added, and everything else goes through as it was written, in its order and as often.
 */

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Set anew for the instance. `expect` is answered here; trailers of a request are not passed on. */
const replaced: ReadonlySet<string> = new Set([
  "host",
  "expect",
  "trailer",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
]);

/** Names a Connection header may not take away: they frame or route the message. */
const kept: ReadonlySet<string> = new Set(["host", "content-length"]);

/** The names this Connection header declares to be of this connection only; mostly none. */
function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined;
  const names = connection.split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !kept.has(name)));
}

/** A request as far as its headers need it. */
export interface RequestHead {
  readonly rawHeaders: readonly string[];
  /** As it shall reach the instance: what the client sent. */
  readonly host: string;
  readonly connection: string | undefined;
  /** Address of the peer. */
  readonly remote: string;
  /** It came over TLS. */
  readonly secure?: boolean;
}

/**
 * The headers for the instance: name, value, name, value. What a client on another machine says about forwarding is
 * replaced by what we see; a peer on this machine (a tunnel, a proxy with certificates) is believed and added to.
 * Undefined when the request has more than one Host header, which must be refused.
 */
export function requestHeaders(head: RequestHead): string[] | undefined {
  const { rawHeaders } = head;
  const named = namedByConnection(head.connection);
  const believed = isLoopback(head.remote);
  const headers = ["Host", head.host];
  let hosts = 0;
  let forwardedFor = "";
  let proto = head.secure ? "https" : "http";
  let host = head.host;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const written = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    const name = written.toLowerCase();
    if (replaced.has(name)) {
      if (name === "host") hosts++;
      else if (believed && name === "x-forwarded-for") forwardedFor += `${value}, `;
      else if (believed && name === "x-forwarded-proto") proto = value;
      else if (believed && name === "x-forwarded-host") host = value;
    } else if (hopByHop.has(name)) {
      if (name === "te" && /(^|,)\s*trailers\s*(,|$)/i.test(value)) headers.push("TE", "trailers");
    } else if (name === "cookie" && value.includes(sessionCookieName)) {
      const others = withoutSession(value);
      if (others !== "") headers.push(written, others);
    } else if (!(named?.has(name) || (name === "forwarded" && !believed))) headers.push(written, value);
  }
  if (hosts > 1) return undefined;
  headers.push("X-Forwarded-For", forwardedFor + plainAddress(head.remote));
  headers.push("X-Forwarded-Proto", proto, "X-Forwarded-Host", host);
  return headers;
}

/**
 * Browsers keep cookies apart by host and not by port: where a service answers at the name of the dashboard, it would be
 * shown the session of whoever visits it.
 */
function withoutSession(cookie: string): string {
  const pairs = cookie.split(";").map((pair) => pair.trim());
  return pairs.filter((pair) => pair.split("=", 1)[0]?.trim() !== sessionCookieName).join("; ");
}

/**
 * A session of the dashboard, made by a service: browsers would show it to the hub, where it stands at a name above, and
 * lock people out or sign them in as somebody else. One without a name is sent as its value, so `=name=value` is one too.
 */
const setsSession = new RegExp(`^[\\s=]*${sessionCookieName}\\s*=`);

/**
 * An answer's headers for the client: name, value, name, value. `connection` is the answer's own Connection header. A
 * Content-Length beside a Transfer-Encoding is a lie or an attack and stays behind too, and so does a cookie that is the
 * hub's.
 */
export function answerHeaders(raw: readonly (string | Buffer)[], connection: string | undefined): string[] {
  const named = namedByConnection(connection);
  const headers: string[] = [];
  let chunked = false;
  for (let i = 0; i < raw.length; i += 2) {
    const written = latin1(raw[i]);
    const name = written.toLowerCase();
    if (name === "transfer-encoding") chunked = true;
    if (hopByHop.has(name) || named?.has(name)) continue;
    const value = latin1(raw[i + 1]);
    if (name !== "set-cookie" || !setsSession.test(value)) headers.push(written, value);
  }
  return chunked ? withoutLength(headers) : headers;
}

/** What must not stand behind a body (RFC 9110 6.5.1), beside what is hop by hop. */
const neverTrailing: ReadonlySet<string> = new Set(["content-length", "host", "trailer", "set-cookie"]);

/**
 * An answer's trailers for the client. An ingress must not fall over what an instance says there: HTTP/2 takes no header of one
 * connection only.
 */
export function answerTrailers(
  trailers: Readonly<Record<string, string | readonly string[] | undefined>>,
): [string, string][] {
  return Object.entries(trailers).flatMap(([written, value]) => {
    const name = written.toLowerCase();
    if (hopByHop.has(name) || neverTrailing.has(name)) return [];
    return [value ?? []].flat().map((one): [string, string] => [written, one]);
  });
}

function withoutLength(headers: readonly string[]): string[] {
  return headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== "content-length");
}

function latin1(text: string | Buffer | undefined): string {
  return typeof text === "string" ? text : (text?.toString("latin1") ?? "");
}

/** Whether the peer is on this machine. */
export function isLoopback(address: string): boolean {
  return address === "::1" || plainAddress(address).startsWith("127.");
}

/** An IPv4 address that came in IPv6 clothes, without them. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
