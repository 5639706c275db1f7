import { existsSync } from "node:fs";
import { openDatabase } from "#disk/sqlite.ts";
import { pathOf } from "./db/db.ts";
import type { FirstLab } from "./desk.ts";
import type { RejectedLab } from "./lab/load.ts";
import { lastAccepted } from "./lab/verbs.ts";

/**
 * What a hub begins with when the lab's file is bad or gone: the newest lab of that file which an earlier hub on this
 * data folder has accepted. Undefined when there is none. Reads only.
 */
export function recallLab(dataFolder: string, rejected: RejectedLab): FirstLab | undefined {
  const path = pathOf(dataFolder);
  if (!existsSync(path)) return undefined;
  const db = openDatabase(path, { readOnly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE name = 'lab'", ({ name }) => name).all();
    const last = tables.length === 0 ? undefined : lastAccepted(db, rejected);
    return last && { loaded: last.loaded, recalled: { acceptedMs: last.acceptedMs, rejected } };
  } finally {
    db.close();
  }
}
