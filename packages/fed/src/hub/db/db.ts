import { join } from "node:path";
import { type Migration, migrate } from "#disk/migrate.ts";
import { type Database, openDatabase } from "#disk/sqlite.ts";
import { copyBefore } from "./copy.ts";
import { requireSound } from "./damage.ts";
import { firstLight } from "./migrations/0001-first-light.ts";
import { usersAndChain } from "./migrations/0002-users-and-chain.ts";
import { fleet } from "./migrations/0003-fleet.ts";
import { release } from "./migrations/0004-release.ts";

/** Oldest first. Only ever added to: `migrations/released.json` holds what may not change any more. */
export const migrations: readonly Migration[] = [firstLight, usersAndChain, fleet, release];

/** Where the control database of a data folder is. */
export const pathOf = (dataFolder: string) => join(dataFolder, "control.db");

export interface ControlOptions {
  /** The system's clock when left out. */
  readonly nowMs?: (() => number) | undefined;
  /** Those of this fed when left out. */
  readonly migrations?: readonly Migration[] | undefined;
}

/**
 * The control database: wishes and history. What runs is not in it (reality is the state). It is checked, copied to
 * `backups/` when it is about to be migrated, and migrated. Whoever opens it holds the data folder.
 *
 * Faults, each with what to do, and the file as it was: `invalid` when it is damaged, `conflict` when a newer fed made it,
 * `unreachable` when the disk has no room for a copy.
 */
export function openControl(dataFolder: string, options: ControlOptions = {}): Database {
  const nowMs = options.nowMs ?? Date.now;
  const path = pathOf(dataFolder);
  requireSound(path, nowMs());
  const db = openDatabase(path);
  try {
    migrate(db, options.migrations ?? migrations, {
      before: (next) => copyBefore(next, path, dataFolder, nowMs()),
    });
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}
