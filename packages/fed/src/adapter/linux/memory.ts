import { Fault } from "#base/fault.ts";
import { readFiles } from "./files.ts";
import type { FileSection } from "./section.ts";
import { countOf, linesOf } from "./word.ts";

/** More lines than any kernel has, and so many that a hostile one is no trouble. */
const mostFields = 200;

/** Memory and swap: each line of /proc/meminfo by its own name. */
export const memorySection: FileSection = {
  name: "memory",
  everyMs: 0,
  files: ["/proc/meminfo"],
  open: () => (text, into) => {
    const memory = readFiles(text).get("/proc/meminfo");
    if (memory === undefined) return;
    const fields = readMemory(memory);
    if (fields.size === 0) throw new Fault("invalid", "/proc/meminfo has no line that can be read");
    for (const [name, value] of fields) into.sample(`node_memory_${name}`, value);
  },
};

/** Such as `MemTotal_bytes` and `HugePages_Total`. */
export function readMemory(text: string): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  for (const line of linesOf(text)) {
    const found = /^([A-Za-z0-9_]{1,60})(?:\(([a-z_]{1,20})\))?:\s{1,30}(\d{1,20})( kB)?$/.exec(line.trimEnd());
    const value = countOf(found?.[3]);
    if (found === null || value === undefined) continue;
    const name = found[2] === undefined ? found[1] : `${found[1]}_${found[2]}`;
    fields.set(found[4] === undefined ? `${name}` : `${name}_bytes`, found[4] === undefined ? value : value * 1024);
    if (fields.size >= mostFields) break;
  }
  return fields;
}
