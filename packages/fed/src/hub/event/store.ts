import type { Tx } from "#disk/sqlite.ts";
import { eventShape, type FedEvent } from "#wire/event.ts";

/** The log keeps this many events. */
const keptEvents = 100_000;

export function insertEvent(tx: Tx, event: Omit<FedEvent, "sequence">): number {
  const { lastRowId } = tx.run(
    `INSERT INTO event (at_ms, actor, subject, correlation, data)
     VALUES (:atMs, :actor, :subject, :correlation, :data)`,
    {
      atMs: event.atMs,
      actor: event.actor,
      subject: event.subject,
      correlation: event.correlation,
      data: JSON.stringify(event.data),
    },
  );
  tx.run("DELETE FROM event WHERE sequence <= :last - :kept", { last: lastRowId, kept: keptEvents });
  return lastRowId;
}
