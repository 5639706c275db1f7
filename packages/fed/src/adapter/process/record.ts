/**
 * The folder of one instance:
 *
 *     instance.json   what it is: labels, address, when it started. Never its environment: no secret reaches a file.
 *     pid             its first process, as /proc/<pid>/stat said; written by the wrapper before the command runs
 *     exit            how it ended; written by the wrapper (or by the hub that forced it); whole when it ends in a newline
 *     log/output      stdout and stderr; in a folder of its own, so that who watches for `exit` does not hear every line
 *     log/kept        which part of the output is kept, see output.ts
 *     secret/NAME     secrets that it was given as files; gone when it has ended
 *
 * It appears under its name at once and whole (written beside, then renamed), before anything is spawned: what runs
 * always has its labels, whenever the hub is killed. Names with a leading dot are half-made or half-removed.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import type { Exit, InstanceLabels, InstanceSpec } from "#port/runtime.ts";
import { type ProcessMark, parseStat } from "./proc.ts";

export interface InstanceRecord {
  readonly id: string;
  readonly labels: InstanceLabels;
  readonly address: { readonly host: string; readonly port: number };
  readonly startedMs: number;
  /** The machine's boot it was started in: process numbers of another one mean nothing. */
  readonly boot: string;
  /** Folder of its control group, when it has limits. */
  readonly cgroup?: string | undefined;
}

/** Ids name folders. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export const outputFolder = (folder: string) => join(folder, "log");

/** Writes what the instance is given as files; answers their paths by variable. */
export function writeFiles(
  folder: string,
  files: NonNullable<InstanceSpec["files"]>,
): Readonly<Record<string, string>> {
  const place = join(folder, "secret");
  const paths: Record<string, string> = {};
  for (const [variable, { name, content }] of Object.entries(files)) {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    paths[variable] = join(place, name);
    writeFileSync(join(place, name), content, { mode: 0o400 });
  }
  return paths;
}

export function removeFiles(folder: string): void {
  rmSync(join(folder, "secret"), { recursive: true, force: true });
}

/** Makes the folder. Fault `conflict` when the id has one already. */
export function createRecord(root: string, record: InstanceRecord): string {
  const draft = join(root, `.new-${record.id}`);
  const folder = join(root, record.id);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(outputFolder(draft), { recursive: true, mode: 0o700 });
  writeFileSync(join(draft, "instance.json"), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw new Fault("conflict", `there is an instance ${record.id} already`, { cause: error });
  }
  return folder;
}

/** The ids that have a folder. */
export function listRecords(root: string): readonly string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && idPattern.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** The record, or why it cannot be read, in plain words. */
export function readRecord(root: string, id: string): InstanceRecord | { readonly problem: string } {
  const file = join(root, id, "instance.json");
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isRecord(value) && value.id === id ? value : { problem: `${file} is not the record of instance ${id}` };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Removes the folder; half-way through, it is already under another name. */
export function removeRecord(root: string, id: string): void {
  const gone = join(root, `.gone-${id}`);
  try {
    renameSync(join(root, id), gone);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  rmSync(gone, { recursive: true, force: true });
}

/** Removes what a killed hub left half-made or half-removed: nothing was spawned from it, or all of it has ended. */
export function sweepDrafts(root: string): void {
  for (const name of readdirSync(root))
    if (/^\.(new|gone)-/.test(name)) rmSync(join(root, name), { recursive: true, force: true });
}

/** The instance's first process, once the wrapper has written it. */
export function readMark(folder: string): ProcessMark | undefined {
  const line = readWhole(join(folder, "pid"));
  const stat = line === undefined ? undefined : parseStat(line);
  return stat && { pid: stat.pid, startTicks: stat.startTicks };
}

/** How it ended; undefined while that is not written down. */
export function readExit(folder: string): Exit | undefined {
  const file = join(folder, "exit");
  const line = readWhole(file);
  if (line === undefined) return undefined;
  const [status, reason] = line.split(" ");
  const exit = exitOf(status === "?" ? undefined : Number(status), Math.floor(statSync(file).mtimeMs));
  return reason === "memory" ? { ...exit, reason: "memory" } : exit;
}

/** Writes down an end that the wrapper could not, or knows less about. */
export function writeExit(folder: string, exit: Exit): void {
  const signal = exit.signal as keyof typeof constants.signals | undefined;
  const status = signal !== undefined ? 128 + constants.signals[signal] : (exit.code ?? "?");
  writeFileSync(join(folder, "exit"), `${status}${exit.reason ? ` ${exit.reason}` : ""}\n`);
}

/** A shell's status: 128 + n means signal n, as far as there is one. */
export function exitOf(status: number | undefined, atMs: number): Exit {
  if (status === undefined || !Number.isInteger(status)) return { atMs };
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined ? { code: status, atMs } : { signal, atMs };
}

/** First line of a small file, if it is complete. */
function readWhole(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    return text.endsWith("\n") ? text.slice(0, text.indexOf("\n")) : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is InstanceRecord {
  const record = value as Partial<InstanceRecord> | null;
  const { labels, address } = record ?? {};
  return (
    [labels?.lab, labels?.environment, labels?.service, labels?.spec, address?.host, record?.boot].every(
      (text) => typeof text === "string",
    ) && [labels?.replica, address?.port, record?.startedMs].every((number) => Number.isFinite(number))
  );
}
