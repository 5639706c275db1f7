import { readFiles } from "./files.ts";
import type { FileSection } from "./section.ts";
import { countOf } from "./word.ts";

/** File, its line, and what that is called. A whole machine never stalls for want of CPU: that line is left out, as node_exporter does. */
const lines: readonly (readonly [file: string, line: "some" | "full", metric: string])[] = [
  ["/proc/pressure/cpu", "some", "node_pressure_cpu_waiting_seconds_total"],
  ["/proc/pressure/io", "some", "node_pressure_io_waiting_seconds_total"],
  ["/proc/pressure/io", "full", "node_pressure_io_stalled_seconds_total"],
  ["/proc/pressure/memory", "some", "node_pressure_memory_waiting_seconds_total"],
  ["/proc/pressure/memory", "full", "node_pressure_memory_stalled_seconds_total"],
  ["/proc/pressure/irq", "full", "node_pressure_irq_stalled_seconds_total"],
];

/** Time for which work waited. Kernels before 4.20, and those that have it turned off, have nothing to tell. */
export const pressureSection: FileSection = {
  name: "pressure",
  everyMs: 0,
  files: [...new Set(lines.map(([file]) => file))],
  open: () => (text, into) => {
    const files = readFiles(text);
    for (const [file, line, metric] of lines) {
      const told = files
        .get(file)
        ?.split("\n")
        .find((each) => each.startsWith(`${line} `));
      const micros = countOf(/ total=(\d+)$/.exec(told ?? "")?.[1]);
      if (micros !== undefined) into.sample(metric, micros / 1e6);
    }
  },
};
