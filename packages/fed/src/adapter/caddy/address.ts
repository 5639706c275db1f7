/** Which addresses Caddy's machine has: one that is asked to listen elsewhere refuses the whole configuration. */
import type { IngressRoute } from "#port/ingress.ts";
import type { Shell } from "#port/shell.ts";
import { limit } from "./limit.ts";

/** Asks the machine, if a door names an address beyond loopback. What tells nothing is taken for an address that is there. */
export async function askAddresses(
  shell: Shell,
  routes: readonly IngressRoute[],
  signal: AbortSignal,
): Promise<(host: string) => boolean> {
  const hosts = routes.flatMap(({ match }) => (match.kind === "door" ? (match.hosts ?? []) : []));
  if (hosts.every(isLoopback)) return isLoopback;
  const argv = ["cat", "/proc/net/fib_trie", "/proc/net/if_inet6"];
  const { stdout } = await shell.run({ argv }, { timeoutMs: limit.commandMs }, signal);
  const known = readAddresses(stdout);
  return (host) => isLoopback(host) || known.size === 0 || known.has(host.toLowerCase());
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

/** The machine's addresses as the kernel's tables tell them, IPv6 in its short form. */
export function readAddresses(tables: string): ReadonlySet<string> {
  const found = new Set<string>();
  let last = "";
  for (const line of tables.split("\n")) {
    const leaf = /\|-- (\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1];
    if (leaf !== undefined) last = leaf;
    else if (/\/32 host LOCAL/.test(line)) found.add(last);
    const six = /^([0-9a-f]{32}) /.exec(line)?.[1];
    if (six !== undefined) found.add(shortForm(six));
  }
  return found;
}

function shortForm(digits: string): string {
  const groups = digits.match(/.{4}/g)?.join(":") ?? "";
  return URL.parse(`http://[${groups}]/`)?.hostname.slice(1, -1) ?? groups;
}
