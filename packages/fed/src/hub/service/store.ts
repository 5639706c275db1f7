import type { Reader, Tx } from "#disk/sqlite.ts";
import type { CheckContract } from "#hub/check/check.ts";

/** So many specs are remembered: enough for every instance that may still run. */
const keptSpecs = 20_000;

export interface SpecRow {
  readonly hash: string;
  readonly service: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly contract: CheckContract;
}

export function saveSpec(tx: Tx, spec: SpecRow, usedMs: number): void {
  tx.run(
    `INSERT INTO spec (hash, service, fields, contract, used_ms) VALUES (:hash, :service, :fields, :contract, :usedMs)
     ON CONFLICT (hash) DO UPDATE SET used_ms = :usedMs`,
    {
      hash: spec.hash,
      service: spec.service,
      fields: JSON.stringify(spec.fields),
      contract: JSON.stringify(spec.contract),
      usedMs,
    },
  );
}

export function trimSpecs(tx: Tx): void {
  tx.run("DELETE FROM spec WHERE hash NOT IN (SELECT hash FROM spec ORDER BY used_ms DESC LIMIT :kept)", {
    kept: keptSpecs,
  });
}

export function selectSpecs(db: Reader): readonly SpecRow[] {
  return db
    .prepare("SELECT hash, service, fields, contract FROM spec", (row) => ({
      hash: String(row.hash),
      service: String(row.service),
      fields: JSON.parse(String(row.fields)) as SpecRow["fields"],
      contract: JSON.parse(String(row.contract)) as CheckContract,
    }))
    .all();
}

export function selectDoors(db: Reader): ReadonlyMap<string, number> {
  const rows = db.prepare("SELECT service, port FROM door", (row) => [String(row.service), Number(row.port)] as const);
  return new Map(rows.all());
}

export function insertDoor(tx: Tx, service: string, port: number): void {
  tx.run("INSERT INTO door (service, port) VALUES (:service, :port)", { service, port });
}
