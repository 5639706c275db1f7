import type { Tx } from "#disk/sqlite.ts";
import type { Emit } from "#hub/event/verbs.ts";
import type { Known } from "./machine.ts";
import { type MachineRow, saveMachine } from "./store.ts";

/** How exact "last seen" is over a crash of the hub: a write for each look would be a write too many. */
const saveMs = 60_000;

export function rowOf(name: string, { member, observed, facts, maintenance }: Known): MachineRow {
  const { state, sinceMs, seenMs } = observed;
  return { name, kind: member.document.kind, state, sinceMs, seenMs, facts, maintenance };
}

/** Whether the database is to hold it: a machine that tells other facts at every look is written no more often than others. */
export function isWorthSaving(stored: MachineRow | undefined, row: MachineRow): boolean {
  if (stored === undefined || stored.state !== row.state) return true;
  if (stored.facts === undefined && row.facts !== undefined) return true;
  return row.seenMs !== undefined && Math.abs(row.seenMs - (stored.seenMs ?? 0)) >= saveMs;
}

/** The row, and what has changed since it was written last: each change is told once, from the state that was told before. */
export function writeRow(tx: Tx, emit: Emit, before: MachineRow | undefined, row: MachineRow, detail: string): void {
  const { name, kind, state } = row;
  saveMachine(tx, row);
  if (before === undefined) emit(`machine:${name}`, { type: "machine.added", kind });
  const from = before?.state ?? "unknown";
  if (from === state) return;
  emit(`machine:${name}`, { type: "machine.changed", from, to: state, reason: detail || "it answers" });
}
