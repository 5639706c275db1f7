import type { Reader, SqlRow, Tx } from "#disk/sqlite.ts";
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

/** The newest events, oldest of them first. */
export function selectLastEvents(db: Reader, count: number): readonly FedEvent[] {
  return db.prepare("SELECT * FROM event ORDER BY sequence DESC LIMIT :count", readEvent).all({ count }).reverse();
}

function readEvent(row: SqlRow): FedEvent {
  return eventShape.parse({
    sequence: row.sequence,
    atMs: row.at_ms,
    actor: row.actor,
    subject: row.subject,
    correlation: row.correlation,
    data: JSON.parse(String(row.data)),
  });
}
