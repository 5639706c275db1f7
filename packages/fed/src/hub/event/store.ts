import type { Reader, SqlParams, SqlRow, Tx } from "#disk/sqlite.ts";
import type { Head, Link } from "./chain.ts";
import type { EventFilter } from "./event.ts";

const columns = "sequence, at_ms, type, actor, subject, correlation, data, hash";

const readLink = (row: SqlRow): Link => ({
  sequence: Number(row.sequence),
  atMs: Number(row.at_ms),
  type: String(row.type),
  actor: String(row.actor),
  subject: String(row.subject),
  correlation: String(row.correlation),
  data: String(row.data),
  hash: String(row.hash),
});

const readHead = (row: SqlRow): Head => ({ sequence: Number(row.sequence), hash: String(row.hash) });

export function insertEvent(tx: Tx, link: Link): void {
  tx.run(
    `INSERT INTO event (${columns})
     VALUES (:sequence, :atMs, :type, :actor, :subject, :correlation, :data, :hash)`,
    { ...link },
  );
}

/** Where the kept chain begins: the last event that was dropped. */
export function selectBase(db: Reader): Head {
  return db.prepare("SELECT sequence, hash FROM event_base", readHead).first() ?? { sequence: 0, hash: "" };
}

/** The newest event; the base when there is none. */
export function selectHead(db: Reader): Head {
  const newest = db.prepare("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1", readHead).first();
  return newest ?? selectBase(db);
}

/** The events that follow, oldest first. */
export function selectAfter(db: Reader, sequence: number, limit: number): readonly Link[] {
  return db
    .prepare(`SELECT ${columns} FROM event WHERE sequence > :sequence ORDER BY sequence LIMIT :limit`, readLink)
    .all({ sequence, limit });
}

export interface ListQuery extends EventFilter {
  readonly before: number | undefined;
  readonly sinceMs: number | undefined;
  readonly limit: number;
}

/** The newest first. */
export function selectNewest(db: Reader, query: ListQuery): readonly Link[] {
  const { clauses, params } = conditionsOf(query);
  if (query.before !== undefined) {
    clauses.push("sequence < :before");
    params.before = query.before;
  }
  if (query.sinceMs !== undefined) {
    clauses.push("at_ms >= :sinceMs");
    params.sinceMs = Math.floor(query.sinceMs);
  }
  const where = clauses.length === 0 ? "" : `WHERE ${clauses.join(" AND ")}`;
  return db
    .prepare(`SELECT ${columns} FROM event ${where} ORDER BY sequence DESC LIMIT :limit`, readLink)
    .all({ ...params, limit: query.limit });
}

function conditionsOf(filter: EventFilter) {
  const clauses: string[] = [];
  const params: Record<string, SqlParams[string]> = {};
  const types = filter.types.map((type, at) => {
    params[`type${at}`] = type;
    if (!type.endsWith(".")) return `type = :type${at}`;
    params[`typeEnd${at}`] = endOf(type);
    return `(type >= :type${at} AND type < :typeEnd${at})`;
  });
  if (types.length > 0) clauses.push(`(${types.join(" OR ")})`);
  if (filter.subject !== undefined) {
    params.subject = filter.subject;
    if (filter.subject.endsWith(":")) {
      params.subjectEnd = endOf(filter.subject);
      clauses.push("subject >= :subject AND subject < :subjectEnd");
    } else clauses.push("subject = :subject");
  }
  return { clauses, params };
}

/** The first text after all that begin with this one. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** The newest event that is older than this; undefined when there is none. */
export function selectLastBefore(db: Reader, atMs: number, upTo: number): Head | undefined {
  return db
    .prepare(
      "SELECT sequence, hash FROM event WHERE at_ms < :atMs AND sequence <= :upTo ORDER BY sequence DESC LIMIT 1",
      readHead,
    )
    .first({ atMs, upTo });
}

export function selectAt(db: Reader, sequence: number): Head | undefined {
  return db.prepare("SELECT sequence, hash FROM event WHERE sequence = :sequence", readHead).first({ sequence });
}

/** Mean size of the newest thousand, in bytes, with what SQLite and the indexes add. */
export function selectMeanBytes(db: Reader): number {
  const mean = db
    .prepare(
      `SELECT avg(length(data) + 3 * length(subject) + 2 * length(type) + 220) AS mean
       FROM (SELECT data, subject, type FROM event ORDER BY sequence DESC LIMIT 1000)`,
      (row) => Number(row.mean ?? 0),
    )
    .first();
  return mean ?? 0;
}

/** Drops all up to this one, which becomes the base; how many there were. */
export function dropUpTo(tx: Tx, head: Head): number {
  const { changedRows } = tx.run("DELETE FROM event WHERE sequence <= :sequence", { sequence: head.sequence });
  tx.run("UPDATE event_base SET sequence = :sequence, hash = :hash", { ...head });
  return changedRows;
}
