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

const readSequence = (row: SqlRow) => (row.sequence === null ? undefined : Number(row.sequence));

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

/** The oldest sequence that is there. */
export function selectFirst(db: Reader): number | undefined {
  return db.prepare("SELECT min(sequence) AS sequence FROM event", readSequence).first();
}

/** The events that follow, oldest first. */
export function selectAfter(db: Reader, sequence: number, limit: number): readonly Link[] {
  return db
    .prepare(`SELECT ${columns} FROM event WHERE sequence > :sequence ORDER BY sequence LIMIT :limit`, readLink)
    .all({ sequence, limit });
}

/** The newest at or before this sequence. */
export function selectUpTo(db: Reader, sequence: number): Head | undefined {
  return db
    .prepare("SELECT sequence, hash FROM event WHERE sequence <= :sequence ORDER BY sequence DESC LIMIT 1", readHead)
    .first({ sequence });
}

/** What the newest cut of retention says it dropped. */
export function selectLastTrimmed(db: Reader): Head | undefined {
  return db
    .prepare(
      `SELECT json_extract(data, '$.upTo') AS sequence, json_extract(data, '$.head') AS hash
       FROM event WHERE type = 'log.trimmed' ORDER BY sequence DESC LIMIT 1`,
      readHead,
    )
    .first();
}

export interface ListQuery extends EventFilter {
  readonly before: number | undefined;
  readonly sinceMs: number | undefined;
  readonly limit: number;
}

/**
 * The subjects that begin with the prefix, each found by one step into the index. With them, as with types, SQLite takes
 * the newest of each and merges them, where a range of the index would have to be sorted as a whole.
 */
const subjectsBelow = `WITH RECURSIVE known (subject) AS (
    SELECT min(subject) FROM event WHERE subject >= :subject AND subject < :subjectEnd
    UNION ALL
    SELECT (SELECT min(event.subject) FROM event WHERE event.subject > known.subject AND event.subject < :subjectEnd)
    FROM known WHERE known.subject IS NOT NULL
  )`;

/** How many different subjects begin with the prefix; counts no further than `most`. */
export function countSubjects(db: Reader, prefix: string, most: number): number {
  const count = db
    .prepare(`${subjectsBelow.replace(/\)$/, "LIMIT :most)")} SELECT count(subject) AS count FROM known`, (row) =>
      Number(row.count),
    )
    .first({ subject: prefix, subjectEnd: endOf(prefix), most });
  return count ?? 0;
}

/** A semicolon is the letter after the colon. */
const endOf = (prefix: string) => `${prefix.slice(0, -1)};`;

/** Of the events `from` until before `until`, all of which it looks at. The newest first. */
export function selectNewestBetween(
  db: Reader,
  { types, subject = "", sinceMs }: Omit<ListQuery, "before" | "limit">,
  { from, until, limit }: { readonly from: number; readonly until: number; readonly limit: number },
): readonly Link[] {
  return db
    .prepare(
      `SELECT ${columns} FROM event
       WHERE sequence >= :from AND sequence < :until AND +subject >= :subject AND +subject < :subjectEnd
         ${types.length === 0 ? "" : "AND +type IN (SELECT value FROM json_each(:types))"}
         ${sinceMs === undefined ? "" : "AND +at_ms >= :sinceMs"}
       ORDER BY sequence DESC LIMIT :limit`,
      readLink,
    )
    .all({
      ...{ from, until, limit, subject, subjectEnd: endOf(subject) },
      ...(types.length === 0 ? {} : { types: JSON.stringify(types) }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    });
}

/** The first event that is not older than this. */
export function selectFirstSince(db: Reader, sinceMs: number): number | undefined {
  return db.prepare(`SELECT ${firstSince} AS sequence`, readSequence).first({ sinceMs });
}

const firstSince = "(SELECT min(sequence) FROM event INDEXED BY event_by_time WHERE at_ms >= :sinceMs)";

/** The newest first. */
export function selectNewest(db: Reader, query: ListQuery): readonly Link[] {
  const { types, subject, before, sinceMs, limit } = query;
  const clauses: string[] = [];
  const params: Record<string, SqlParams[string]> = { limit };
  let subjects = "";
  if (types.length > 0) {
    clauses.push("type IN (SELECT value FROM json_each(:types))");
    params.types = JSON.stringify(types);
  }
  if (subject?.endsWith(":")) {
    subjects = subjectsBelow;
    clauses.push("subject IN (SELECT subject FROM known WHERE subject IS NOT NULL)");
    params.subject = subject;
    params.subjectEnd = endOf(subject);
  } else if (subject !== undefined) {
    clauses.push("subject = :subject");
    params.subject = subject;
  }
  if (before !== undefined) {
    clauses.push("sequence < :before");
    params.before = before;
  }
  if (sinceMs !== undefined) {
    // Nearly in the order of the sequence, but clocks are put back: a bound for the search, and the condition itself.
    clauses.push(`sequence >= ${firstSince}`, "+at_ms >= :sinceMs");
    params.sinceMs = sinceMs;
  }
  const where = clauses.length === 0 ? "" : `WHERE ${clauses.join(" AND ")}`;
  return db
    .prepare(`${subjects} SELECT ${columns} FROM event ${where} ORDER BY sequence DESC LIMIT :limit`, readLink)
    .all(params);
}

/** The first event after `after`, up to `upTo`, with a time from `fromMs` to `untilMs`; looks at no others. */
export function selectFirstBetween(
  db: Reader,
  range: { readonly after: number; readonly upTo: number; readonly fromMs: number; readonly untilMs: number },
): number | undefined {
  return db
    .prepare(
      `SELECT min(sequence) AS sequence FROM event
       WHERE sequence > :after AND sequence <= :upTo AND +at_ms >= :fromMs AND +at_ms <= :untilMs`,
      readSequence,
    )
    .first(range);
}

/** The last event up to `upTo` that is older than this; looks only between the base and there. */
export function selectLastOlder(db: Reader, upTo: number, atMs: number): number | undefined {
  return db
    .prepare("SELECT max(sequence) AS sequence FROM event WHERE sequence <= :upTo AND +at_ms < :atMs", readSequence)
    .first({ upTo, atMs });
}

const sampled = 500;

/** Mean size in bytes, with what SQLite and the indexes add; of a sample spread evenly over the log. */
export function selectMeanBytes(db: Reader, first: number, last: number): number {
  const stride = Math.max(1, Math.floor((last - first + 1) / sampled));
  const mean = db
    .prepare(
      `WITH RECURSIVE sample (sequence) AS (
         SELECT :first UNION ALL SELECT sequence + :stride FROM sample WHERE sequence + :stride <= :last
       )
       SELECT avg(octet_length(data) + octet_length(actor) + octet_length(correlation)
         + 2 * octet_length(subject) + 2 * octet_length(type) + 140) AS mean
       FROM sample JOIN event USING (sequence)`,
      (row) => Number(row.mean ?? 0),
    )
    .first({ first, last, stride });
  return mean ?? 0;
}

/** Drops all up to this one, which becomes the base; how many there were. The base first: what lies after it cannot be dropped. */
export function dropUpTo(tx: Tx, head: Head): number {
  tx.run("UPDATE event_base SET sequence = :sequence, hash = :hash", { ...head });
  return tx.run("DELETE FROM event WHERE sequence <= :sequence", { sequence: head.sequence }).changedRows;
}
