import type { Reader, Tx } from "#disk/sqlite.ts";
import type { HostKey } from "#port/shell.ts";

export interface HostKeyRow extends HostKey {
  readonly machine: string;
  readonly state: "trusted" | "offered";
  readonly sinceMs: number;
}

export function selectHostKeys(db: Reader): readonly HostKeyRow[] {
  return db
    .prepare("SELECT machine, type, fingerprint, state, since_ms FROM host_key ORDER BY machine, type", (row) => ({
      machine: String(row.machine),
      type: String(row.type),
      fingerprint: String(row.fingerprint),
      state: row.state === "trusted" ? ("trusted" as const) : ("offered" as const),
      sinceMs: Number(row.since_ms),
    }))
    .all();
}

/** From now on these keys are all that is kept of a machine in this state. */
export function replaceHostKeys(
  tx: Tx,
  machine: string,
  state: HostKeyRow["state"],
  keys: readonly HostKey[],
  sinceMs: number,
): void {
  tx.run("DELETE FROM host_key WHERE machine = :machine AND state = :state", { machine, state });
  for (const { type, fingerprint } of keys) {
    tx.run(
      `INSERT INTO host_key (machine, type, fingerprint, state, since_ms)
       VALUES (:machine, :type, :fingerprint, :state, :sinceMs)`,
      { machine, type, fingerprint, state, sinceMs },
    );
  }
}

export function deleteHostKeys(tx: Tx, machine: string): void {
  tx.run("DELETE FROM host_key WHERE machine = :machine", { machine });
}
