import { isIPv4 } from "node:net";

/** Whether what is sent to this http address stays on this machine, whoever answers names: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(url: string): boolean {
  // URL has put every way of writing an IPv4 address into four numbers, and names into small letters.
  const { hostname } = new URL(url);
  if (isIPv4(hostname)) return hostname.startsWith("127.");
  return hostname === "[::1]" || hostname === "localhost" || hostname.endsWith(".localhost");
}
