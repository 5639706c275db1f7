import { readFiles } from "./files.ts";
import type { FileSection } from "./section.ts";
import { countOf, numberOf, wordsOf } from "./word.ts";

/** When the machine was started, and what its clock says. */
export const uptimeSection: FileSection = {
  name: "uptime",
  everyMs: 0,
  files: ["/proc/stat", "/proc/uptime"],
  open:
    () =>
    (text, into, { machineMs }) => {
      const files = readFiles(text);
      into.sample("node_time_seconds", machineMs / 1000);
      const started = countOf(/^btime (\d+)$/m.exec(files.get("/proc/stat") ?? "")?.[1]);
      const uptime = numberOf(wordsOf(files.get("/proc/uptime") ?? "")[0]);
      const seconds = started ?? (uptime === undefined ? undefined : Math.round(machineMs / 1000 - uptime));
      if (seconds !== undefined) into.sample("node_boot_time_seconds", seconds);
    },
};
