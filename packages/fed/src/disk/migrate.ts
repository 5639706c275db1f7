import { createHash } from "node:crypto";
import { Fault } from "#base/fault.ts";
import type { Database, Reader, SqlRow, Tx } from "./sqlite.ts";

/** One step of the schema. Once released it is never changed: what comes next is a new one at the end. */
export interface Migration {
  /** 1, 2, 3, … without a gap. */
  readonly id: number;
  readonly name: string;
  /** Any number of statements; runs inside a transaction of its own, so it has no BEGIN or COMMIT. */
  readonly sql: string;
  /** What SQL alone cannot do with the rows that are there; runs in the same transaction, so it may not wait. */
  readonly fill?: (tx: Tx) => undefined;
}

interface Applied {
  readonly id: number;
  readonly name: string;
  readonly hash: string;
}

const schema = `CREATE TABLE IF NOT EXISTS migration (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  appliedAt TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT`;

export interface MigrateOptions {
  /** Before the first change to a database that has something to lose; what it throws stops everything. */
  readonly before?: ((next: Migration) => void) | undefined;
}

/**
 * Brings the database to the last migration and returns the ids applied now. Each is one transaction, so a crash leaves
 * the schema between two migrations, never inside one; two processes at once are harmless. Fault `conflict`: the database was
 * made by a newer fed, or is no database of fed. Fault `internal`: a released migration was changed, or one does not run.
 */
export function migrate(
  db: Database,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): readonly number[] {
  migrations.forEach(({ id }, at) => {
    if (id !== at + 1) throw new Fault("internal", `migration ${id} stands where ${at + 1} belongs`);
  });
  const done: number[] = [];
  const last = db.tx((tx) => begin(tx, db.path, migrations));
  const next = migrations[last];
  if (last > 0 && next !== undefined) options.before?.(next);
  for (const migration of migrations)
    if (db.tx((tx) => apply(tx, db.path, migrations, migration))) done.push(migration.id);
  db.tx((tx) => compare(tx, db.path, migrations));
  return done;
}

/** Makes the table that remembers, unless the database belongs to something else; the last applied id. */
function begin(tx: Tx, path: string, migrations: readonly Migration[]): number {
  const tables = tx
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", (row) => String(row.name))
    .all();
  if (tables.length > 0 && !tables.includes("migration")) {
    throw new Fault("conflict", `${path} is a database of another program: it has the table ${tables[0]}`, {
      hint: "It was left as it is. Choose another path, or move it away.",
    });
  }
  tx.script(schema);
  return compare(tx, path, migrations);
}

/** Looks again inside its own transaction: another process may have been quicker. False: it is there already. */
function apply(tx: Tx, path: string, migrations: readonly Migration[], migration: Migration): boolean {
  if (compare(tx, path, migrations) >= migration.id) return false;
  try {
    tx.script(migration.sql);
    migration.fill?.(tx);
    tx.run("INSERT INTO migration (id, name, hash) VALUES (:id, :name, :hash)", {
      id: migration.id,
      name: migration.name,
      hash: hashOf(migration),
    });
  } catch (thrown) {
    throw inMigration(thrown, migration, path);
  }
  return true;
}

/** The last applied id, when what was applied is what the program has; otherwise a Fault. */
function compare(reader: Reader, path: string, migrations: readonly Migration[]): number {
  const applied = reader.prepare("SELECT id, name, hash FROM migration ORDER BY id", readApplied).all();
  for (const { id, name, hash } of applied) {
    const known = migrations[id - 1];
    if (known === undefined) {
      throw new Fault("conflict", `${path} was made by a newer fed: it has migration ${id} (${name})`, {
        hint: `This fed knows ${migrations.length}. Run the newer one, or restore a backup from before the update.`,
      });
    }
    if (hashOf(known) !== hash) {
      throw new Fault("internal", `migration ${id} (${name}) of ${path} was changed after it was applied`, {
        hint: "A released migration stays as it is: undo the change and add a new one at the end.",
      });
    }
  }
  return applied.at(-1)?.id ?? 0;
}

/** The disk may be full and the file locked at any moment; all else is a migration that does not fit. */
function inMigration(thrown: unknown, migration: Migration, path: string): unknown {
  if (thrown instanceof Fault && thrown.code !== "internal") return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault("internal", `migration ${migration.id} (${migration.name}) does not run: ${why}`, {
    hint: `${path} was left as it was before it.`,
    cause: thrown,
  });
}

const hashOf = ({ name, sql }: Migration) => createHash("sha256").update(`${name}\0${sql}`).digest("hex");

const readApplied = (row: SqlRow): Applied => ({ id: Number(row.id), name: String(row.name), hash: String(row.hash) });
