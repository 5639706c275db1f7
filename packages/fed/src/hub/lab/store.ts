import type { Reader, Tx } from "#disk/sqlite.ts";

/** So many accepted labs are remembered. */
const keptLabs = 200;

export interface LabRow {
  readonly hash: string;
  readonly name: string;
  readonly file: string;
  /** Canonical JSON. */
  readonly document: string;
  readonly acceptedMs: number;
}

/** One that says what the newest row says already takes its place: an `apply` of the same is no other lab. */
export function saveLab(tx: Tx, lab: LabRow): void {
  const { changedRows } = tx.run(
    `UPDATE lab SET accepted_ms = :acceptedMs
     WHERE sequence = (SELECT max(sequence) FROM lab) AND hash = :hash AND name = :name AND file = :file AND document = :document`,
    { ...lab },
  );
  if (changedRows > 0) return;
  const { lastRowId } = tx.run(
    `INSERT INTO lab (hash, name, file, document, accepted_ms)
     VALUES (:hash, :name, :file, :document, :acceptedMs)`,
    { ...lab },
  );
  tx.run("DELETE FROM lab WHERE sequence <= :last - :kept", { last: lastRowId, kept: keptLabs });
}

/** The newest that was made of this file. */
export function selectNewestLab(db: Reader, file: string): LabRow | undefined {
  return db
    .prepare(
      "SELECT hash, name, file, document, accepted_ms FROM lab WHERE file = :file ORDER BY sequence DESC LIMIT 1",
      (row) => ({
        hash: String(row.hash),
        name: String(row.name),
        file: String(row.file),
        document: String(row.document),
        acceptedMs: Number(row.accepted_ms),
      }),
    )
    .first({ file });
}

/** The names under which labs were accepted. */
export function selectLabNames(db: Reader): readonly string[] {
  return db.prepare("SELECT DISTINCT name FROM lab", ({ name }) => String(name)).all();
}
