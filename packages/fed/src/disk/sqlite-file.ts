import { closeSync, openSync, statSync } from "node:fs";
import { Fault } from "#base/fault.ts";
import { errorCode, fileFault } from "./file-fault.ts";

/**
 * Makes sure that a file is there for SQLite to open; a new one is empty, with mode 0600. SQLite itself would make it
 * readable for all, and says no more of a folder or a missing one than that it cannot open it.
 */
export function requireDatabaseFile(path: string, whenMissing: "make" | "only open"): void {
  try {
    requirePlainFile(path);
  } catch (thrown) {
    // Only a file that is not there may be opened here: closing one drops the locks SQLite holds on it in this process.
    if (whenMissing !== "make" || errorCode(thrown) !== "ENOENT") throw fileFault(thrown, "open", path);
    makeFile(path);
  }
}

function requirePlainFile(path: string): void {
  const found = statSync(path);
  if (found.isFile()) return;
  throw new Fault("conflict", `cannot open ${path}: it is ${found.isDirectory() ? "a folder" : "not a plain file"}`, {
    hint: "Move it away or choose another path.",
  });
}

function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (thrown) {
    // Another process was quicker.
    if (errorCode(thrown) !== "EEXIST") throw fileFault(thrown, "make", path);
  }
}
