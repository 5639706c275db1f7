import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { isDamage } from "./sqlite-fault.ts";

/**
 * `quick` reads every page and row (130 ms for 100 MB in the cache); `full` also compares every index with its table
 * (460 ms). Neither sees a letter that turned into another one: SQLite has no checksums of its content.
 */
export type CheckDepth = "quick" | "full";

/**
 * What is wrong with a database file, in SQLite's words; undefined when it is sound, is not there yet, or cannot be read for
 * another reason, which opening it tells. Nothing is changed, neither the file nor its `-wal`: to open a damaged
 * database for writing, and to close it, would carry the one into the other.
 */
export function findDamage(path: string, depth: CheckDepth): string | undefined {
  const [size, logSize] = [sizeOf(path), sizeOf(logOf(path))];
  if (size === 0) {
    // SQLite takes it for a new database, and drops the log.
    return logSize > 0 ? `it is empty or gone, but ${logOf(path)} has ${logSize} bytes that belong to it` : undefined;
  }
  // Killed while it was made: SQLite undoes that when it opens it, and only with the right to write.
  if (sizeOf(`${path}-journal`) > 0) return undefined;
  try {
    return checkOpen(path, depth, logSize > 0);
  } catch (thrown) {
    if (isDamage(thrown)) return thrown instanceof Error ? thrown.message : String(thrown);
    return undefined;
  }
}

/** Whether whoever wrote last was killed, or lost its power: a database that was closed has no log. */
export function endedHard(path: string): boolean {
  return sizeOf(logOf(path)) > 0;
}

/** Size in bytes with the log; 0 when it is not there. */
export function databaseBytes(path: string): number {
  return sizeOf(path) + sizeOf(logOf(path));
}

function checkOpen(path: string, depth: CheckDepth, withLog: boolean): string | undefined {
  const location = pathToFileURL(path);
  // Leaves no files of its own behind; but it does not see a log.
  if (!withLog) location.searchParams.set("immutable", "1");
  const connection = new DatabaseSync(location, { readOnly: true });
  try {
    const pragma = depth === "quick" ? "quick_check" : "integrity_check";
    const [finding] = connection
      .prepare(`PRAGMA ${pragma}(1)`)
      .all()
      .map((row) => String(Object.values(row)[0]));
    return finding === "ok" ? undefined : (finding ?? "the check says nothing").replaceAll(/\s+/g, " ");
  } finally {
    connection.close();
  }
}

const logOf = (path: string) => `${path}-wal`;

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
