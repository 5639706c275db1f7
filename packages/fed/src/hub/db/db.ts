import { join } from "node:path";
import { migrate } from "#disk/migrate.ts";
import { type Database, openDatabase } from "#disk/sqlite.ts";
import { firstLight } from "./migrations/0001-first-light.ts";
import { usersAndChain } from "./migrations/0002-users-and-chain.ts";

/** Released migrations, oldest first. Only ever added to. */
export const migrations = [firstLight, usersAndChain] as const;

/** The control database: wishes and history. What runs is not in it (reality is the state). */
export function openControl(dataFolder: string): Database {
  const db = openDatabase(join(dataFolder, "control.db"));
  try {
    migrate(db, migrations);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}
