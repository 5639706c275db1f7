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

const bytesOf = (value: unknown) => (value instanceof Uint8Array ? value : new Uint8Array());
