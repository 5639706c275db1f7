import { Fault } from "#base/fault.ts";
import type { ToldProcess } from "#port/collector.ts";
import type { ScriptSection, SectionReader } from "./section.ts";
import { shown, shownOnce } from "./shown.ts";
import { momentOf } from "./word.ts";

/**
 * The busiest processes. One `awk` reads what the kernel says of all of them; of those that are new since the last look, and now and
 * then of all, also whose they are and what their command line is. Kernel threads, which have no memory, are left out.
 *
 * What it says: `up SECONDS`, `page SIZE` (in bytes or KiB), and for each process `p PID TICKS TICKS THREADS START PAGES NAME` (user and
 * system time, its start in ticks after the boot) and `d PID USER COMMAND` (its words are apart by NUL; some awks tell the first only).
 * The command line of a process that waits for a disk is not asked for: that can hang.
 */
export const processSection: ScriptSection = {
  name: "process",
  everyMs: 5_000,
  script: `
    read -r process_now process_x < /proc/uptime || return
    # Where looks are far apart nobody watches: every third one is enough then.
    process_x=$((\${process_now%.*} - \${process_called:-0}))
    process_called=\${process_now%.*}
    [ "$process_x" -ge 8 ] && [ "\${process_n:-0}" -gt 1 ] && [ "$((process_called - \${process_up%.*}))" -lt 25 ] && return 0
    # Of what was started since then all is told; every twelfth look tells all of all.
    process_then=$process_up
    [ "$((process_n % 12))" = 0 ] && process_then=0
    process_n=$((process_n + 1))
    process_up=$process_now
    # Kernels for ARM may have larger pages.
    [ "$process_page" ] || process_page=$(getconf PAGESIZE || sed -n '/^KernelPageSize/{s/[^0-9]*//;s/ kB//p;q;}' /proc/self/smaps)
    echo "up $process_up"
    echo "page $process_page"
    # Of many processes less is told each: all has to fit into a section.
    awk -v process_then="$process_then" 'BEGIN {
      m = 9e4 / ARGC; if (m > 300) m = 300
      for (i = 1; i < ARGC; i++) {
        f = ARGV[i]; l = ""
        while ((getline x < (f "/stat")) > 0) l = l x " "
        close(f "/stat")
        s = l; sub(/.*\\) /, "", s); split(s, a, " ")
        if (a[21] + 0 == 0) continue
        p = substr(f, 7)
        print "p", p, a[12], a[13], a[18], a[20], a[22], substr(l, length(p) + 3, length(l) - length(s) - length(p) - 4)
        if (a[20] / 100 < process_then - 1) continue
        if (!n) while ((getline x < "/etc/passwd") > 0) { n = 1; split(x, w, ":"); user[w[3]] = w[1] }
        o = ""
        while ((getline x < (f "/status")) > 0) if (x ~ /^Uid:/) { split(x, w, " "); o = w[2]; break }
        close(f "/status")
        if (o in user) o = user[o]
        x = ""
        if (a[1] != "D") { getline x < (f "/cmdline"); close(f "/cmdline") }
        print "d", p, o, substr(x, 1, m)
      }
    }' /proc/[0-9]*
  `,
  open: openProcesses,
};

/** How many are told by each of the two orders. */
const ofEach = 20;
/** The kernel's unit of time in /proc, on every system we know of. */
const ticksPerSecond = 100;

/**
 * The clock and the count of seconds are read one after the other: when the machine was started wanders by that, and with it when
 * each process was, which is what tells two of one number apart. The same start is told until the clock was set.
 */
const sameBootMs = 5_000;

interface Seen {
  readonly startTicks: number;
  ticks: number;
  user: string;
  command: string;
}

interface Row {
  readonly pid: number;
  readonly name: string;
  readonly threads: number;
  readonly startTicks: number;
  readonly pages: number;
  readonly ticks: number;
  cpu?: number;
}

function openProcesses(): SectionReader {
  const seen = new Map<number, Seen>();
  let told: readonly ToldProcess[] | undefined;
  let upBefore = 0;
  let bootedMs = 0;
  return (text, into, tick) => {
    // Not looked at in this round. A hub that has just started may hear that first from a machine that reports by itself.
    if (text === "" && tick.code === 0) {
      if (told !== undefined) into.processes(told);
      return;
    }
    told = undefined;
    const said = readLines(text, tick.cut);
    if (said.upSeconds === undefined)
      throw new Fault("invalid", "the kernel did not tell of processes (is awk there?)");
    const elapsed = said.upSeconds - upBefore;
    // In place: what is made anew for each process at each tick lives long enough to fill the hub's memory.
    for (const row of said.rows.values()) {
      let one = seen.get(row.pid);
      if (one?.startTicks === row.startTicks) {
        if (elapsed > 0) row.cpu = Math.max(0, row.ticks - one.ticks) / ticksPerSecond / elapsed;
        one.ticks = row.ticks;
      } else {
        one = { startTicks: row.startTicks, ticks: row.ticks, user: "", command: "" };
        seen.set(row.pid, one);
      }
      Object.assign(one, said.details.get(row.pid));
    }
    for (const pid of seen.keys()) if (!said.rows.has(pid)) seen.delete(pid);
    upBefore = said.upSeconds;
    const measuredMs = tick.machineMs - said.upSeconds * 1_000;
    if (Math.abs(measuredMs - bootedMs) > sameBootMs) bootedMs = measuredMs;
    told = busiest([...said.rows.values()]).map((row) => tell(row, seen.get(row.pid), bootedMs, said.pageBytes));
    into.processes(told);
    if (tick.cut) into.problem("so many processes that not all were looked at");
  };
}

const process = /^p (\d{1,10}) (\d{1,19}) (\d{1,19}) (\d{1,10}) (\d{1,19}) (\d{1,16}) (.*)$/;

function readLines(text: string, cut: boolean) {
  const rows = new Map<number, Row>();
  const details = new Map<number, { readonly user: string; readonly command: string }>();
  let upSeconds: number | undefined;
  let pageBytes = 4096;
  const lines = text.split("\n");
  // A line without an end may be half of one.
  if (cut) lines.pop();
  for (const line of lines) {
    const [, pid, user, system, threads, start, pages, name = ""] = process.exec(line) ?? [];
    if (pid !== undefined) {
      rows.set(Number(pid), {
        pid: Number(pid),
        name: shown(name, 64),
        threads: Number(threads),
        startTicks: Number(start),
        pages: Number(pages),
        ticks: Number(user) + Number(system),
      });
    } else if (line.startsWith("d ")) {
      const [, of, owner = "", command = ""] = /^d (\d{1,10}) (\S*) (.*)$/.exec(line) ?? [];
      if (of !== undefined) {
        details.set(Number(of), { user: shown(owner, 64), command: shownOnce(command, 300) });
      }
    } else if (line.startsWith("up ")) upSeconds = Number(/^up (\d{1,12}(?:\.\d{1,3})?)$/.exec(line)?.[1]);
    else if (line.startsWith("page ")) {
      const page = Number(/^page (\d{1,6})$/.exec(line)?.[1] ?? 4096);
      pageBytes = page < 1024 ? page * 1024 : page;
    }
  }
  if (upSeconds === undefined || Number.isNaN(upSeconds) || rows.size === 0) {
    throw new Fault("invalid", "the machine does not tell of its processes");
  }
  return { rows, details, upSeconds, pageBytes };
}

/** The first ones by CPU, then those by memory that are not among them. */
function busiest(rows: readonly Row[]): readonly Row[] {
  const byCpu = [...rows].sort((a, b) => (b.cpu ?? 0) - (a.cpu ?? 0) || b.ticks - a.ticks).slice(0, ofEach);
  const chosen = new Set(byCpu);
  const byMemory = [...rows].sort((a, b) => b.pages - a.pages).slice(0, ofEach);
  return [...byCpu, ...byMemory.filter((row) => !chosen.has(row))];
}

function tell(row: Row, seen: Seen | undefined, bootedMs: number, pageBytes: number): ToldProcess {
  const { pid, name, threads, startTicks, pages, cpu } = row;
  const command = seen?.command ?? "";
  return {
    pid,
    user: seen?.user ?? "",
    name,
    ...(command === "" ? {} : { command }),
    ...(cpu === undefined ? {} : { cpu }),
    memoryBytes: pages * pageBytes,
    threads,
    startedMs: momentOf(bootedMs + (startTicks * 1_000) / ticksPerSecond),
  };
}
