import { isIPv6 } from "node:net";

/** Where this machine finds what listens on a host and port: one that listens everywhere is found on loopback. */
export function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
