import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "#disk/migrate.ts";
import { type Database, openDatabase } from "#disk/sqlite.ts";
import { migrations } from "./db.ts";

/** For tests: a control database in a folder of its own. */
export interface TestControl extends Disposable {
  readonly db: Database;
  readonly folder: string;
}

export function openTestControl(): TestControl {
  const folder = mkdtempSync(join(tmpdir(), "fed-control-"));
  const db = openDatabase(join(folder, "control.db"));
  // No power is cut here, and a flush of the disk for each transaction is most of what such tests wait for.
  db.prepare("PRAGMA synchronous = OFF", () => undefined).all();
  migrate(db, migrations);
  return {
    db,
    folder,
    [Symbol.dispose]() {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
