import type { Reader } from "#disk/sqlite.ts";
import type { Head } from "./chain.ts";
import { droppedOf, type Retention, youngestDroppedMs } from "./event.ts";
import { selectBase, selectFirstBetween, selectLastOlder, selectMeanBytes, selectUpTo } from "./store.ts";

/** What is dropped now. */
export interface Cut {
  /** The last event that goes; it becomes the base of the chain. */
  readonly upTo: Head;
  /** There is more to drop than one transaction may. */
  readonly more: boolean;
}

const mostDropped = 10_000;
/**
 * By age, in one run. A clock that is years ahead makes all events look old: it costs so many an hour, not the history,
 * until somebody sets it right. A log that is full of events (`maxEvents` in `maxAgeMs`) sees a tenth as many come.
 */
const mostDroppedByAge = 1_000;

/** Whether times can be told by the clock; when it has just been set, they cannot. */
export type ClockState = "steady" | "set";

/** What goes beyond the limits, at most 10,000 events of it; undefined when nothing does. The newest event always stays. */
export function findCut(
  db: Reader,
  retention: Retention,
  last: number,
  { nowMs, clock }: { readonly nowMs: number; readonly clock: ClockState },
): Cut | undefined {
  const base = selectBase(db).sequence;
  const atMost = Math.min(last - 1, base + mostDropped);
  const byNumber = base + droppedOf(retention, last - base, selectMeanBytes(db, base + 1, last));
  const byAge = clock === "steady" ? findTooOld(db, retention, { base, atMost }, nowMs) : base;
  const wanted = Math.max(byNumber, byAge);
  if (wanted <= base) return undefined;
  const upTo = selectUpTo(db, Math.min(wanted, atMost));
  return upTo && { upTo, more: byNumber >= atMost && atMost < last - 1 };
}

/**
 * The last of the old beginning: what comes after a young event stays, whatever its time, for a machine that starts with a
 * wrong clock writes old times after new ones. A time that lies ahead says nothing.
 */
function findTooOld(
  db: Reader,
  retention: Retention,
  { base, atMost }: { readonly base: number; readonly atMost: number },
  nowMs: number,
): number {
  const cutMs = nowMs - youngestDroppedMs(retention);
  const young = selectFirstBetween(db, { after: base, upTo: atMost, fromMs: cutMs, untilMs: nowMs });
  const end = young === undefined ? atMost : young - 1;
  if (selectLastOlder(db, end, nowMs - retention.maxAgeMs) === undefined) return base;
  return Math.min(selectLastOlder(db, end, cutMs) ?? base, base + mostDroppedByAge);
}
