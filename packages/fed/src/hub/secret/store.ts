import type { Reader, SqlRow, Tx } from "#disk/sqlite.ts";
import type { Place } from "./seal.ts";

/** A secret as it lies in the vault. */
export interface SealedRow extends Place {
  /** Of the master key that opens it. */
  readonly keyId: string;
  readonly sealed: Uint8Array;
  readonly setMs: number;
  readonly setBy: string;
}

/** One version of the value of a secret of the lab's. */
export interface ValueRow {
  readonly name: string;
  /** "" for all environments that have none of their own. */
  readonly environment: string;
  /** 1, 2, 3, … of one name, whatever the environment: name and version say which value is meant. */
  readonly version: number;
  readonly keyId: string;
  /** Undefined once it is forgotten: then the row only keeps its number from being given again. */
  readonly sealed: Uint8Array | undefined;
  readonly setMs: number;
  readonly setBy: string;
  readonly removedMs: number | undefined;
}

/** A master key that seals something, or did until it was lost. */
export interface KeyRow {
  readonly id: string;
  readonly proof: Uint8Array;
}

const columns = "scope, name, key_id, sealed, set_ms, set_by";

/** All of them, by name, those for all machines first. */
export function selectSealed(db: Reader): readonly SealedRow[] {
  return db.prepare(`SELECT ${columns} FROM vault ORDER BY name, scope`, readSealed).all();
}

export function findSealed(db: Reader, { scope, name }: Place): SealedRow | undefined {
  return db
    .prepare(`SELECT ${columns} FROM vault WHERE scope = :scope AND name = :name`, readSealed)
    .first({ scope, name });
}

/** In the place of what had its name. */
export function saveSealed(tx: Tx, row: SealedRow): void {
  tx.run(
    `INSERT INTO vault (${columns}) VALUES (:scope, :name, :keyId, :sealed, :setMs, :setBy)
     ON CONFLICT (scope, name) DO UPDATE
     SET key_id = :keyId, sealed = :sealed, set_ms = :setMs, set_by = :setBy`,
    { ...row },
  );
}

export function deleteSealed(tx: Tx, { scope, name }: Place): void {
  tx.run("DELETE FROM vault WHERE scope = :scope AND name = :name", { scope, name });
}

const valueColumns = "name, environment, version, key_id, sealed, set_ms, set_by, removed_ms";

/** All versions, by name, environment and age. */
export function selectValues(db: Reader): readonly ValueRow[] {
  const order = "ORDER BY name, environment, version";
  return db.prepare(`SELECT ${valueColumns} FROM secret_value ${order}`, readValue).all();
}

/** The newest version of each name and environment, also when it was removed; without what is sealed. */
export function selectNewestValues(db: Reader): readonly Omit<ValueRow, "sealed">[] {
  // The columns beside max() are those of the row that has it.
  return db
    .prepare(
      `SELECT name, environment, max(version) AS version, key_id, set_ms, set_by, removed_ms
       FROM secret_value GROUP BY name, environment ORDER BY name, environment`,
      readValue,
    )
    .all();
}

export function findNewestValue(db: Reader, name: string, environment: string): ValueRow | undefined {
  return db
    .prepare(
      `SELECT ${valueColumns} FROM secret_value WHERE name = :name AND environment = :environment
       ORDER BY version DESC LIMIT 1`,
      readValue,
    )
    .first({ name, environment });
}

/** Of the environment's own and of those for all: numbers are never given twice. */
export function findValue(db: Reader, name: string, environment: string, version: number): ValueRow | undefined {
  return db
    .prepare(
      `SELECT ${valueColumns} FROM secret_value
       WHERE name = :name AND version = :version AND environment IN (:environment, '')`,
      readValue,
    )
    .first({ name, environment, version });
}

/** The highest number that was ever given to a version of this name; 0 when none was. */
export function lastVersion(db: Reader, name: string): number {
  const read = (row: SqlRow) => Number(row.last ?? 0);
  return db.prepare("SELECT max(version) AS last FROM secret_value WHERE name = :name", read).first({ name }) ?? 0;
}

export function countValues(db: Reader): number {
  return db.prepare("SELECT count(*) AS n FROM secret_value", (row) => Number(row.n)).first() ?? 0;
}

export function insertValue(tx: Tx, row: ValueRow & { readonly sealed: Uint8Array }): void {
  tx.run(
    `INSERT INTO secret_value (${valueColumns})
     VALUES (:name, :environment, :version, :keyId, :sealed, :setMs, :setBy, :removedMs)`,
    { ...row, removedMs: row.removedMs ?? null },
  );
}

/** What was sealed by one key is sealed by another. */
export function resealValue(tx: Tx, row: Pick<ValueRow, "name" | "version" | "keyId"> & { sealed: Uint8Array }): void {
  const { name, version, keyId, sealed } = row;
  tx.run("UPDATE secret_value SET key_id = :keyId, sealed = :sealed WHERE name = :name AND version = :version", {
    ...{ name, version, keyId, sealed },
  });
}

/** All versions of this name in this environment. */
export function markRemoved(tx: Tx, name: string, environment: string, removedMs: number): void {
  tx.run(
    `UPDATE secret_value SET removed_ms = :removedMs
     WHERE name = :name AND environment = :environment AND removed_ms IS NULL`,
    { name, environment, removedMs },
  );
}

/** The row goes with its value, unless its number is the highest of its name. */
export function deleteValue(tx: Tx, { name, version }: Pick<ValueRow, "name" | "version">): void {
  const which = { name, version };
  if (version === lastVersion(tx, name)) {
    tx.run("UPDATE secret_value SET sealed = NULL, key_id = '' WHERE name = :name AND version = :version", which);
  } else tx.run("DELETE FROM secret_value WHERE name = :name AND version = :version", which);
}

/** How many texts each master key seals, in the vault and among the lab's secrets. */
export function countSealed(db: Reader): ReadonlyMap<string, number> {
  const rows = db
    .prepare(
      `SELECT key_id, count(*) AS n FROM
         (SELECT key_id FROM vault UNION ALL SELECT key_id FROM secret_value WHERE sealed IS NOT NULL)
       GROUP BY key_id`,
      (row) => [String(row.key_id), Number(row.n)] as const,
    )
    .all();
  return new Map(rows);
}

/** The newest seals what is new; those before it were lost, and something is still sealed by them. */
export function selectKeys(db: Reader): readonly KeyRow[] {
  return db
    .prepare("SELECT id, proof FROM vault_key ORDER BY rowid DESC", (row) => ({
      id: String(row.id),
      proof: bytesOf(row.proof),
    }))
    .all();
}

export function insertKey(tx: Tx, row: KeyRow, madeMs: number): void {
  tx.run("INSERT INTO vault_key (id, proof, made_ms) VALUES (:id, :proof, :madeMs)", { ...row, madeMs });
}

export function deleteKey(tx: Tx, id: string): void {
  tx.run("DELETE FROM vault_key WHERE id = :id", { id });
}

function readSealed(row: SqlRow): SealedRow {
  return {
    scope: String(row.scope),
    name: String(row.name),
    keyId: String(row.key_id),
    sealed: bytesOf(row.sealed),
    setMs: Number(row.set_ms),
    setBy: String(row.set_by),
  };
}

function readValue(row: SqlRow): ValueRow {
  return {
    name: String(row.name),
    environment: String(row.environment),
    version: Number(row.version),
    keyId: String(row.key_id),
    sealed: row.sealed instanceof Uint8Array ? row.sealed : undefined,
    setMs: Number(row.set_ms),
    setBy: String(row.set_by),
    removedMs: row.removed_ms === null ? undefined : Number(row.removed_ms),
  };
}

const bytesOf = (value: unknown) => (value instanceof Uint8Array ? value : new Uint8Array());
