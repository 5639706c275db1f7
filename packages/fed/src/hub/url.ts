import { isIPv6 } from "node:net";

/** Where this machine finds what listens on a host and port: one that listens everywhere is found on loopback. */
export function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/**
 * Where people open the pages: on this machine under a name of their own, for cookies know no ports, and a service at
 * 127.0.0.1 would be sent the hub's. Browsers take every name below `localhost` for this machine by themselves.
 */
export function pageUrlOf(host: string, port: number): string {
  const { hostname } = new URL(urlOf(host, port));
  const isHere = ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
  return isHere ? `http://fed.localhost:${port}` : urlOf(host, port);
}
