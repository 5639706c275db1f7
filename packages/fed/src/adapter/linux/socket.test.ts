import fc from "fast-check";
import { expect, test } from "vitest";
import { writeFiles } from "./files.ts";
import { tellOne } from "./section.scene.ts";
import { socketSection } from "./socket.ts";

function tell(files: Readonly<Record<string, string>>): ReadonlyMap<string, number> {
  return tellOne(socketSection.open(), writeFiles(new Map(Object.entries(files)))).samples;
}

test("counts come back by their names, wherever in the line the kernel has them", () => {
  const fields = fc.shuffledSubarray(["CurrEstab", "RetransSegs", "InSegs", "OutSegs", "RtoMin", "MaxConn"], {
    minLength: 1,
  });
  fc.assert(
    fc.property(fields, fc.array(fc.nat(), { minLength: 6, maxLength: 6 }), (names, values) => {
      const numbers = names.map((_, i) => values[i] ?? 0);
      const samples = tell({
        "/proc/net/snmp": `Ip: Forwarding\nIp: 1\nTcp: ${names.join(" ")}\nTcp: ${numbers.join(" ")}\nUdp: InErrors\nUdp: 3\n`,
        "/proc/net/sockstat": `sockets: used ${numbers[0]}\nTCP: inuse 5 orphan 0 tw 1 alloc 6 mem 2\nRAW: inuse 0\n`,
      });
      const told = names.flatMap((name, i) =>
        /Rto|Max/.test(name) ? [] : [[`node_netstat_Tcp_${name}`, numbers[i] ?? 0] as const],
      );
      const sockets = { sockets_used: numbers[0], TCP_inuse: 5, TCP_orphan: 0, TCP_tw: 1, TCP_alloc: 6, TCP_mem: 2 };
      expect(Object.fromEntries(samples)).toEqual({
        ...Object.fromEntries(told),
        node_netstat_Udp_InErrors: 3,
        ...Object.fromEntries(Object.entries(sockets).map(([name, value]) => [`node_sockstat_${name}`, value])),
      });
    }),
  );
});

test("connections that are tracked, and lines that do not belong together", () => {
  expect([
    ...tell({
      "/proc/sys/net/netfilter/nf_conntrack_count": "17\n",
      "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
      "/proc/net/snmp": "Tcp: CurrEstab\nUdp: 5\n",
    }),
  ]).toEqual([
    ["node_nf_conntrack_entries", 17],
    ["node_nf_conntrack_entries_limit", 262_144],
  ]);
});
