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

export function insertLab(tx: Tx, lab: LabRow): void {
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
