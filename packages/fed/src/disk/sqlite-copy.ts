import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "#base/fault.ts";
import { fileFault } from "./file-fault.ts";
import { findDamage } from "./sqlite-check.ts";
import { sqliteFault } from "./sqlite-fault.ts";

/** What a copy is called while it is made. */
export const partialSuffix = ".partial";

/**
 * Copies a database as it was committed last, with what stands in its log, while others may read and write it. The copy is whole
 * and checked, has mode 0600 and survives a power cut when this returns; until then it is called `<to>.partial`, and there is
 * none when it fails. The folder must exist. The thread waits: 250 ms for 100 MB.
 *
 * By SQLite, not by copying the file: a process that closes a file of its own drops all locks that SQLite holds on it.
 */
export function copyDatabase(from: string, to: string): void {
  const partial = `${to}${partialSuffix}`;
  try {
    makeEmpty(partial);
    vacuumInto(from, partial);
    const damage = findDamage(partial, "quick");
    if (damage !== undefined) throw new Fault("unreachable", `the copy of ${from} is damaged: ${damage}`);
    // SQLite itself does not wait until the disk has it.
    sync(partial);
    renameSync(partial, to);
    sync(dirname(to));
  } catch (thrown) {
    rmSync(partial, { force: true });
    throw fileFault(thrown, "write", to);
  }
}

function vacuumInto(from: string, to: string): void {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(from, { readOnly: true, timeout: 5_000 });
    connection.prepare("VACUUM INTO :to").run({ to });
  } catch (thrown) {
    throw sqliteFault(thrown, `copy ${from} to`, to);
  } finally {
    connection?.close();
  }
}

/** SQLite writes into an empty file, and would itself make one that all may read. */
function makeEmpty(path: string): void {
  rmSync(path, { force: true });
  closeSync(openSync(path, "wx", 0o600));
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
