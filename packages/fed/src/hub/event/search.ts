import type { Reader } from "#disk/sqlite.ts";
import type { Link } from "./chain.ts";
import {
  countSubjects,
  type ListQuery,
  selectBase,
  selectFirstSince,
  selectHead,
  selectNewest,
  selectNewestBetween,
} from "./store.ts";

/** So many subjects are merged by the index in some milliseconds. */
const mostSubjects = 1_000;
/** Some milliseconds of work, and others have their turn. */
const windowEvents = 10_000;

/**
 * The newest first, however much has to be looked at for them: a prefix of very many subjects is looked for in the log
 * itself, a part at a time. Rejects with the reason of the first signal that aborts.
 */
export async function searchNewest(
  db: Reader,
  query: ListQuery,
  signals: readonly AbortSignal[],
): Promise<readonly Link[]> {
  const { subject, before, sinceMs, limit } = query;
  if (!subject?.endsWith(":") || countSubjects(db, subject, mostSubjects + 1) <= mostSubjects)
    return selectNewest(db, query);
  const first = sinceMs === undefined ? 0 : (selectFirstSince(db, sinceMs) ?? Number.POSITIVE_INFINITY);
  const begin = Math.max(first, selectBase(db).sequence + 1);
  const found: Link[] = [];
  let until = Math.min(before ?? Number.POSITIVE_INFINITY, selectHead(db).sequence + 1);
  while (until > begin && found.length < limit) {
    const from = Math.max(begin, until - windowEvents);
    found.push(...selectNewestBetween(db, query, { from, until, limit: limit - found.length }));
    until = from;
    await new Promise((resolve) => setImmediate(resolve));
    for (const signal of signals) signal.throwIfAborted();
  }
  return found;
}
