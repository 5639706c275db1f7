import { readFiles } from "./files.ts";
import type { FileSection } from "./section.ts";
import { countOf, lineOf, linesOf, wordsOf } from "./word.ts";

const conntrack = "/proc/sys/net/netfilter/nf_conntrack";

/** Of node_exporter's fields those that people watch: what is open, what is sent again, what is dropped. */
const netstatFields = new Set([
  ...["ActiveOpens", "CurrEstab", "InErrs", "InSegs", "OutRsts", "OutSegs", "PassiveOpens", "RetransSegs"].map(
    (field) => `Tcp_${field}`,
  ),
  ...["InDatagrams", "InErrors", "NoPorts", "OutDatagrams", "RcvbufErrors", "SndbufErrors"].map(
    (field) => `Udp_${field}`,
  ),
  ...["ListenDrops", "ListenOverflows", "TCPTimeouts"].map((field) => `TcpExt_${field}`),
]);
const sockstatFields = new Set([
  "TCP_alloc",
  "TCP_inuse",
  "TCP_mem",
  "TCP_orphan",
  "TCP_tw",
  "UDP_inuse",
  "UDP_mem",
  "sockets_used",
]);

/** Sockets and connections. */
export const socketSection: FileSection = {
  name: "socket",
  everyMs: 0,
  files: ["/proc/net/sockstat", "/proc/net/snmp", "/proc/net/netstat", `${conntrack}_count`, `${conntrack}_max`],
  open: () => (text, into) => {
    const files = readFiles(text);
    for (const [name, value] of readSockstat(files.get("/proc/net/sockstat") ?? ""))
      into.sample(`node_sockstat_${name}`, value);
    for (const path of ["/proc/net/snmp", "/proc/net/netstat"]) {
      for (const [name, value] of readNetstat(files.get(path) ?? "")) into.sample(`node_netstat_${name}`, value);
    }
    const entries = countOf(lineOf(files.get(`${conntrack}_count`)));
    const limit = countOf(lineOf(files.get(`${conntrack}_max`)));
    if (entries !== undefined) into.sample("node_nf_conntrack_entries", entries);
    if (limit !== undefined) into.sample("node_nf_conntrack_entries_limit", limit);
  },
};

/** Lines such as `TCP: inuse 5 orphan 0`. */
function readSockstat(text: string): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  for (const line of linesOf(text)) {
    const [protocol = "", ...pairs] = wordsOf(line);
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const name = `${protocol.replace(/:$/, "")}_${pairs[i]}`;
      const value = countOf(pairs[i + 1]);
      if (value !== undefined && sockstatFields.has(name)) told.set(name, value);
    }
  }
  return told;
}

/** Two lines each: `Tcp:` and names, `Tcp:` and numbers. */
function readNetstat(text: string): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  const lines = linesOf(text);
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [protocol, ...names] = wordsOf(lines[i] ?? "");
    const [same, ...numbers] = wordsOf(lines[i + 1] ?? "");
    if (protocol !== same || protocol === undefined) continue;
    for (const [column, field] of names.entries()) {
      const name = `${protocol.replace(/:$/, "")}_${field}`;
      const value = netstatFields.has(name) ? countOf(numbers[column]) : undefined;
      if (value !== undefined) told.set(name, value);
    }
  }
  return told;
}
