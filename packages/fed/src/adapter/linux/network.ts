import { Fault } from "#base/fault.ts";
import { readFiles } from "./files.ts";
import { labelled } from "./label.ts";
import type { FileSection } from "./section.ts";
import { countOf, linesOf, wordsOf } from "./word.ts";

/**
 * Ends of containers' cables, with a new random name for every start of a container: their series would pile up, and the bridge they
 * are plugged into tells of their traffic.
 */
export const cableEnd = /^(veth|cali|lxc[0-9a-f]{8}|tap[0-9a-f]{8}|vnet\d|fwbr|fwln|fwpr)/;

/** More than a machine of people has; of a flood no more is told. */
const most = 200;

/** By the kernel's columns. */
const columns: readonly (readonly [column: number, metric: string])[] = [
  [0, "node_network_receive_bytes_total"],
  [1, "node_network_receive_packets_total"],
  [2, "node_network_receive_errs_total"],
  [3, "node_network_receive_drop_total"],
  [7, "node_network_receive_multicast_total"],
  [8, "node_network_transmit_bytes_total"],
  [9, "node_network_transmit_packets_total"],
  [10, "node_network_transmit_errs_total"],
  [11, "node_network_transmit_drop_total"],
];

const labels = labelled("device");

/** What went over each interface. */
export const networkSection: FileSection = {
  name: "network",
  everyMs: 0,
  files: ["/proc/net/dev"],
  open() {
    return (text, into) => {
      const table = readFiles(text).get("/proc/net/dev");
      if (table === undefined) return;
      const lines = linesOf(table);
      if (lines.length > 0 && !lines[0]?.includes("|")) {
        throw new Fault("invalid", "/proc/net/dev does not begin with the heads of its columns");
      }
      let told = 0;
      for (const line of lines.slice(2)) {
        // The last colon: an alias of old has one in its name.
        const colon = line.lastIndexOf(":");
        const device = line.slice(0, colon).trim();
        if (colon < 1 || device === "" || cableEnd.test(device)) continue;
        if (++told > most) return into.problem(`more than ${most} interfaces, of which ${most} are told`);
        const values = wordsOf(line.slice(colon + 1));
        for (const [column, metric] of columns) {
          const value = countOf(values[column]);
          if (value !== undefined) into.sample(metric, value, labels(device));
        }
      }
    };
  },
};
