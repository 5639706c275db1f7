import type { Reader, Tx } from "#disk/sqlite.ts";
import { machineFactsShape, machineStates } from "#wire/machine.ts";
import type { Remembered } from "./machine.ts";

/** What the database holds of a machine. Which machines there are is the lab's to say, and where they are too. */
export interface MachineRow extends Remembered {
  readonly name: string;
}

/** All of them, by name. Facts in a shape that this version does not know are none. */
export function selectMachines(db: Reader): readonly MachineRow[] {
  return db
    .prepare("SELECT name, kind, state, since_ms, seen_ms, facts FROM machine ORDER BY name", (row): MachineRow => {
      const facts = row.facts === null ? undefined : machineFactsShape.safeParse(JSON.parse(String(row.facts))).data;
      return {
        name: String(row.name),
        kind: row.kind === "server" ? "server" : "workstation",
        state: machineStates.find((state) => state === row.state) ?? "unknown",
        sinceMs: Number(row.since_ms),
        seenMs: row.seen_ms === null ? undefined : Number(row.seen_ms),
        facts,
      };
    })
    .all();
}

/** In the place of what was saved under its name. */
export function saveMachine(tx: Tx, row: MachineRow): void {
  tx.run(
    `INSERT INTO machine (name, kind, state, since_ms, seen_ms, facts)
     VALUES (:name, :kind, :state, :sinceMs, :seenMs, :facts)
     ON CONFLICT (name) DO UPDATE
     SET kind = :kind, state = :state, since_ms = :sinceMs, seen_ms = :seenMs, facts = :facts`,
    { ...row, seenMs: row.seenMs ?? null, facts: row.facts === undefined ? null : JSON.stringify(row.facts) },
  );
}

export function deleteMachine(tx: Tx, name: string): void {
  tx.run("DELETE FROM machine WHERE name = :name", { name });
}
