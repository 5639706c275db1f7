import { Fault } from "#base/fault.ts";
import { readFiles } from "./files.ts";
import { labelledBy } from "./label.ts";
import type { FileSection } from "./section.ts";
import { countOf, linesOf, wordsOf } from "./word.ts";

/** In the kernel's order; the first four are always there, the others came with 2.6. Guests' time is in `user` already. */
const modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;
/** USER_HZ: a hundred on every machine that Debian runs on. */
const ticksPerSecond = 100;

const labels = labelledBy("cpu", "mode");

/** Time of each CPU that is online. */
export const cpuSection: FileSection = {
  name: "cpu",
  everyMs: 0,
  files: ["/proc/stat"],
  open() {
    return (text, into) => {
      const stat = readFiles(text).get("/proc/stat");
      if (stat === undefined) return;
      const lines = linesOf(stat).filter((line) => line.startsWith("cpu"));
      if (lines.length === 0) throw new Fault("invalid", "/proc/stat tells nothing of CPUs");
      const single = lines.filter((line) => /^cpu\d/.test(line));
      // A container may be shown the sum alone: it counts as one CPU then.
      for (const line of single.length > 0 ? single : lines.slice(0, 1)) {
        const [name = "", ...times] = wordsOf(line);
        const cpu = /^cpu(\d{0,5})$/.exec(name)?.[1];
        if (cpu === undefined) continue;
        for (const [i, mode] of modes.entries()) {
          const ticks = countOf(times[i]);
          if (ticks !== undefined)
            into.sample("node_cpu_seconds_total", ticks / ticksPerSecond, labels(cpu || "0", mode));
        }
      }
    };
  },
};
