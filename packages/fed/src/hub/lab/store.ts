import type { Tx } from "#disk/sqlite.ts";

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
