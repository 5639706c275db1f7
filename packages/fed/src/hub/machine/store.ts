import type { MachineDocument } from "@fed/lab";
import { z } from "zod";
import type { Reader, Tx } from "#disk/sqlite.ts";
import { machineFactsShape, machineStates } from "#wire/machine.ts";
import type { Remembered } from "./machine.ts";
import type { Added } from "./member.ts";

/** What the database holds of a machine. Which machines there are is the lab's to say, and where they are too. */
export interface MachineRow extends Remembered {
  readonly name: string;
}

const maintenanceShape = z.object({ sinceMs: z.number(), untilMs: z.number().optional(), reason: z.string() });

/** All of them, by name. What is in a shape that this version does not know is none. */
export function selectMachines(db: Reader): readonly MachineRow[] {
  return db
    .prepare("SELECT name, kind, state, since_ms, seen_ms, facts, maintenance FROM machine ORDER BY name", (row) => ({
      name: String(row.name),
      kind: row.kind === "server" ? ("server" as const) : ("workstation" as const),
      state: machineStates.find((state) => state === row.state) ?? "unknown",
      sinceMs: Number(row.since_ms),
      seenMs: row.seen_ms === null ? undefined : Number(row.seen_ms),
      facts: machineFactsShape.safeParse(read(row.facts)).data,
      maintenance: readMaintenance(read(row.maintenance)),
    }))
    .all();
}

function read(text: unknown): unknown {
  return text === null ? undefined : JSON.parse(String(text));
}

function readMaintenance(value: unknown): MachineRow["maintenance"] {
  const found = maintenanceShape.safeParse(value).data;
  if (found === undefined) return undefined;
  const { untilMs, ...rest } = found;
  return untilMs === undefined ? rest : { ...rest, untilMs };
}

/** In the place of what was saved under its name. */
export function saveMachine(tx: Tx, { facts, maintenance, seenMs, ...row }: MachineRow): void {
  tx.run(
    `INSERT INTO machine (name, kind, state, since_ms, seen_ms, facts, maintenance)
     VALUES (:name, :kind, :state, :sinceMs, :seenMs, :facts, :maintenance)
     ON CONFLICT (name) DO UPDATE SET kind = :kind, state = :state, since_ms = :sinceMs, seen_ms = :seenMs,
       facts = :facts, maintenance = :maintenance`,
    {
      ...row,
      seenMs: seenMs ?? null,
      facts: facts === undefined ? null : JSON.stringify(facts),
      maintenance: maintenance === undefined ? null : JSON.stringify(maintenance),
    },
  );
}

export function deleteMachine(tx: Tx, name: string): void {
  tx.run("DELETE FROM machine WHERE name = :name", { name });
}

const addedShape = z.object({
  kind: z.enum(["server", "workstation"]),
  address: z.string().optional(),
  port: z.number().int().optional(),
  user: z.string().optional(),
});

/** Those that were added, by name. */
export function selectAdded(db: Reader): ReadonlyMap<string, Added> {
  const rows = db
    .prepare("SELECT name, mode, document FROM machine_added ORDER BY name", (row) => ({
      name: String(row.name),
      mode: row.mode === "push" ? ("push" as const) : ("ssh" as const),
      document: documentOf(read(row.document)),
    }))
    .all();
  return new Map(rows.flatMap(({ name, mode, document }) => (document ? [[name, { mode, document }] as const] : [])));
}

function documentOf(value: unknown): MachineDocument | undefined {
  const found = addedShape.safeParse(value).data;
  if (found === undefined) return undefined;
  const { kind, address = "", port, user } = found;
  const rest = { ...(port === undefined ? {} : { port }), ...(user === undefined ? {} : { user }) };
  return { kind, address, ...rest };
}

export function saveAdded(
  tx: Tx,
  name: string,
  { mode, document }: Added,
  by: { readonly atMs: number; readonly actor: string },
): void {
  tx.run(
    `INSERT INTO machine_added (name, mode, document, added_ms, added_by)
     VALUES (:name, :mode, :document, :atMs, :actor)
     ON CONFLICT (name) DO UPDATE SET mode = :mode, document = :document, added_ms = :atMs, added_by = :actor`,
    { name, mode, document: JSON.stringify(document), ...by },
  );
}

export function deleteAdded(tx: Tx, name: string): void {
  tx.run("DELETE FROM machine_added WHERE name = :name", { name });
}
