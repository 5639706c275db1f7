import { Fault } from "#base/fault.ts";
import { readFiles } from "./files.ts";
import type { FileSection } from "./section.ts";
import { numberOf, wordsOf } from "./word.ts";

export const loadSection: FileSection = {
  name: "load",
  everyMs: 0,
  files: ["/proc/loadavg"],
  open: () => (text, into) => {
    const average = readFiles(text).get("/proc/loadavg");
    if (average === undefined) return;
    const [one, five, fifteen] = wordsOf(average).map(numberOf);
    if (one === undefined || five === undefined || fifteen === undefined) {
      throw new Fault("invalid", "/proc/loadavg has no three numbers");
    }
    into.sample("node_load1", one);
    into.sample("node_load5", five);
    into.sample("node_load15", fifteen);
  },
};
