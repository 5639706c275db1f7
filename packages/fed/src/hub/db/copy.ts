import { mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { fileFault } from "#disk/file-fault.ts";
import type { Migration } from "#disk/migrate.ts";
import { databaseBytes } from "#disk/sqlite-check.ts";
import { copyDatabase, partialSuffix } from "#disk/sqlite-copy.ts";

/** A copy of the control database that fed made by itself. */
export interface Copy {
  readonly path: string;
  /** The migration it was made before. */
  readonly before: number;
  /** When: `20261121T071204Z`. */
  readonly time: string;
}

const keptCopies = 5;

const folderIn = (dataFolder: string) => join(dataFolder, "backups");

/** `20261121T071204Z`: sorts by time and needs no quotes. */
export const timeText = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

/** The copies that are there, the newest first. */
export function listCopies(dataFolder: string): readonly Copy[] {
  return namesIn(folderIn(dataFolder))
    .flatMap((name) => {
      const [, before, time] = /^control-before-(\d+)-(\d{8}T\d{6}Z)\.db$/.exec(name) ?? [];
      return before && time ? [{ path: join(folderIn(dataFolder), name), before: Number(before), time }] : [];
    })
    .sort((a, b) => (a.time === b.time ? b.before - a.before : a.time < b.time ? 1 : -1));
}

/**
 * Copies the control database before it is migrated and answers the copy's path. Fault `unreachable` when there is no room: then
 * nothing was changed.
 */
export function copyBefore(next: Migration, path: string, dataFolder: string, nowMs: number): string {
  const folder = folderIn(dataFolder);
  const copy = join(folder, `control-before-${next.id}-${timeText(nowMs)}.db`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The hub holds its data folder alone: what is not finished, nobody works at.
    for (const name of namesIn(folder)) if (name.endsWith(partialSuffix)) rmSync(join(folder, name), { force: true });
    requireRoom(path, folder);
    copyDatabase(path, copy);
  } catch (thrown) {
    throw notCopied(thrown, next, path, folder);
  }
  for (const { path: old } of tooMany(listCopies(dataFolder))) rmSync(old, { force: true });
  return copy;
}

/** Looked at first: to try would take the last room from what else runs on the disk. */
function requireRoom(path: string, folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const missing = databaseBytes(path) - bavail * bsize;
  if (missing > 0) throw new Fault("unreachable", `${Math.ceil(missing / 1e6)} MB of room are missing in ${folder}`);
}

function notCopied(thrown: unknown, next: Migration, path: string, folder: string): Fault {
  const { code, message, details } = fileFault(thrown, "write to", folder);
  return new Fault(code, `${path} cannot be copied before migration ${next.id} (${next.name}): ${message}`, {
    hint: [
      `The database was left as it was, and what runs goes on. Make room (df -h '${folder}') and start fed again:`,
      "it changes the database only once it has a copy to go back to.",
    ].join("\n"),
    cause: thrown,
    details,
  });
}

/**
 * Which to drop, of copies that come newest first. A migration that fails is tried, and copied for, at every start: so older copies
 * for the same migration go before the last one for another.
 */
export function tooMany(copies: readonly Copy[]): readonly Copy[] {
  const extra = copies.length - keptCopies;
  if (extra <= 0) return [];
  const repeated = copies.filter(({ before }, at) => copies.findIndex((copy) => copy.before === before) < at);
  const singular = copies.filter((copy) => !repeated.includes(copy));
  return [...repeated.reverse(), ...singular.reverse()].slice(0, extra);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
