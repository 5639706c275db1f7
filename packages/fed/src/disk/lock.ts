import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "#base/fault.ts";
import { isAlive } from "./process.ts";
import { isBusy, sqliteFault } from "./sqlite-fault.ts";
import { requireDatabaseFile } from "./sqlite-file.ts";

/** A connection that nobody refers to is closed by the garbage collector, and the lock would be gone with it. */
const held = new Set<DatabaseSync>();

/** A lock that is held. */
export interface Lock {
  /** Gives it up; harmless when done twice. */
  close(): void;
}

/**
 * Two that come at the same moment may trip over each other's first step; so long each tries again. The thread waits
 * with it.
 */
const settleMs = 250;

/**
 * Takes the lock of this path, for one holder on this machine, in this process or another. The operating system holds it
 * with the process: it is free the moment the process is dead, however it died, and children do not inherit it. Fault
 * `conflict` names the holder when someone has it.
 *
 * The file is a SQLite one with an exclusive transaction open, for Node has no file locks of its own. It stays empty and
 * stays there; nobody else may open it (closing it elsewhere in this process would drop the lock). Who holds it is written
 * beside, in `<path>.holder`, for messages only. Network file systems may not keep such locks.
 */
export function holdLock(path: string): Lock {
  requireDatabaseFile(path, "make");
  const holder = `${path}.holder`;
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: settleMs });
    // Else an exclusive transaction makes a journal file at once.
    connection.exec("PRAGMA journal_mode = MEMORY");
    connection.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    connection?.close();
    throw isBusy(thrown) ? heldBy(holder, path, thrown) : sqliteFault(thrown, "take the lock", path);
  }
  held.add(connection);
  try {
    writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // The lock is what counts.
  }
  return {
    close: () => {
      if (!held.delete(connection)) return;
      rmSync(holder, { force: true });
      connection.close();
    },
  };
}

/**
 * Whether somebody holds the lock of this path now, in this process or another. Takes nothing from anybody: it asks to read
 * the file, which the holder alone prevents, and who comes to hold it meanwhile waits out that moment.
 */
export function isLockHeld(path: string): boolean {
  if (!existsSync(path)) return false;
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    connection.prepare("SELECT 1 FROM sqlite_schema").get();
    return false;
  } catch (thrown) {
    if (isBusy(thrown)) return true;
    throw sqliteFault(thrown, "look at the lock", path);
  } finally {
    connection?.close();
  }
}

function heldBy(holder: string, path: string, cause: unknown): Fault {
  const pid = readPid(holder);
  const who = pid === undefined ? "another process" : pid === process.pid ? "this process" : `process ${pid}`;
  return new Fault("conflict", `${path} is held by ${who}`, {
    hint: pid === undefined ? "End the other one first." : `See what it is: ps -p ${pid}`,
    details: pid === undefined ? undefined : { pid },
    cause,
  });
}

function readPid(holder: string): number | undefined {
  try {
    const pid = Number(readFileSync(holder, "utf8").trim());
    return isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}
