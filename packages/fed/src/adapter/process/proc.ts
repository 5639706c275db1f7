/** What /proc says of processes (Linux, proc(5)). Reads are synchronous: each takes microseconds and gives one consistent view. */

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process, told apart from a later one with the same number by its start. */
export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks between the machine's boot and the process' start. */
  readonly startTicks: number;
}

export interface ProcessStat extends ProcessMark {
  /** One letter: R, S, D, Z (ended, not yet reaped) … */
  readonly state: string;
  readonly group: number;
  readonly session: number;
}

/** A running process with the value of FED_INSTANCE it was started with, if that can be read. */
export interface ProcessRow extends ProcessStat {
  readonly instance: string | undefined;
}

export function procIsThere(): boolean {
  return existsSync("/proc/self/stat");
}

/** Changes with every boot: process numbers and starts of another boot mean nothing. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

/** A line of /proc/<pid>/stat; the name in it may hold spaces and parentheses. */
export function parseStat(line: string): ProcessStat | undefined {
  const close = line.lastIndexOf(")");
  const pid = Number.parseInt(line, 10);
  const [state, , group, session, ...rest] = line.slice(close + 2).split(" ");
  const startTicks = Number(rest[15]);
  if (close < 0 || !Number.isInteger(pid) || !Number.isInteger(startTicks) || state === undefined) return undefined;
  return { pid, startTicks, state, group: Number(group), session: Number(session) };
}

/** The process as it is now; undefined when there is none of that number. */
export function readProcess(pid: number): ProcessStat | undefined {
  const line = readOrNothing(`/proc/${pid}/stat`);
  return line === undefined ? undefined : parseStat(line);
}

/** Whether that very process (not a later one with its number) still runs; one that ended unreaped does not. */
export function isAlive(mark: ProcessMark): boolean {
  const now = readProcess(mark.pid);
  return now !== undefined && now.startTicks === mark.startTicks && now.state !== "Z" && now.state !== "X";
}

/** Every process that has not ended, but this one; lets the event loop breathe between batches. */
export async function listProcesses(): Promise<readonly ProcessRow[]> {
  const rows: ProcessRow[] = [];
  const names = readdirSync("/proc").filter((name) => /^[1-9]\d*$/.test(name));
  for (const [i, name] of names.entries()) {
    if (i % 128 === 127) await new Promise(setImmediate);
    const stat = readProcess(Number(name));
    if (!stat || stat.state === "Z" || stat.state === "X" || stat.pid === process.pid) continue;
    rows.push({ ...stat, instance: readInstance(stat.pid) });
  }
  return rows;
}

/** The process' command line, words ended by NUL; empty when it is gone. */
export function readCommandLine(pid: number): string {
  return readOrNothing(`/proc/${pid}/cmdline`) ?? "";
}

/** Whether the process writes to that file as its stdout or stderr. */
export function writesTo(pid: number, path: string): boolean {
  return [1, 2].some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
    } catch {
      return false;
    }
  });
}

function readInstance(pid: number): string | undefined {
  const environment = readOrNothing(`/proc/${pid}/environ`);
  if (environment === undefined) return undefined;
  const at = environment.startsWith("FED_INSTANCE=") ? 0 : environment.indexOf("\0FED_INSTANCE=") + 1;
  if (at === 0 && !environment.startsWith("FED_INSTANCE=")) return undefined;
  const end = environment.indexOf("\0", at);
  return environment.slice(at + "FED_INSTANCE=".length, end < 0 ? undefined : end);
}

/** The file's text; nothing when the process is gone or not ours to read. */
function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
