import { readFiles } from "./files.ts";
import type { FileSection } from "./section.ts";
import { countOf, linesOf, wordsOf } from "./word.ts";

/** Lines of /proc/stat whose first number is told. */
const statNames: ReadonlyMap<string, string> = new Map([
  ["intr", "node_intr_total"],
  ["ctxt", "node_context_switches_total"],
  ["processes", "node_forks_total"],
  ["procs_running", "node_procs_running"],
  ["procs_blocked", "node_procs_blocked"],
]);

/** Those that node_exporter takes: kills for want of memory, paging and swapping. */
const vmstatLine = /^((?:oom_kill|pgpg|pswp|pg[a-z0-9_]{0,40}fault)[a-z0-9_]{0,40}) (\d{1,20})$/gm;
const mostFields = 50;

/** Counts of the kernel: interrupts, switches, forks, faults, open files. */
export const kernelSection: FileSection = {
  name: "kernel",
  everyMs: 0,
  files: ["/proc/stat", "/proc/vmstat", "/proc/sys/fs/file-nr"],
  open: () => (text, into) => {
    const files = readFiles(text);
    for (const line of linesOf(files.get("/proc/stat") ?? "")) {
      const space = line.indexOf(" ");
      const metric = statNames.get(line.slice(0, space));
      const value = metric === undefined ? undefined : countOf(line.slice(space + 1).split(" ", 1)[0]);
      if (metric !== undefined && value !== undefined) into.sample(metric, value);
    }
    let fields = 0;
    for (const [, name, word] of (files.get("/proc/vmstat") ?? "").matchAll(vmstatLine)) {
      const value = countOf(word);
      if (value === undefined || ++fields > mostFields) break;
      into.sample(`node_vmstat_${name}`, value);
    }
    const [allocated, , maximum] = wordsOf(files.get("/proc/sys/fs/file-nr") ?? "").map(countOf);
    if (allocated !== undefined) into.sample("node_filefd_allocated", allocated);
    if (maximum !== undefined) into.sample("node_filefd_maximum", maximum);
  },
};
