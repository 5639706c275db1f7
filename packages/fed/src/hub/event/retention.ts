import type { Reader } from "#disk/sqlite.ts";
import type { Head } from "./chain.ts";
import { droppedOf, type Retention, youngestDroppedMs } from "./event.ts";
import { selectBase, selectLastOlder, selectMeanBytes, selectUpTo } from "./store.ts";

/** What is dropped now. */
export interface Cut {
  /** The last event that goes; it becomes the base of the chain. */
  readonly upTo: Head;
  /** There is more to drop than one transaction may. */
  readonly more: boolean;
}

const mostDropped = 10_000;

/** What goes beyond the limits, at most 10,000 events of it; undefined when nothing does. The newest event always stays. */
export function findCut(db: Reader, retention: Retention, last: number, nowMs: number): Cut | undefined {
  const base = selectBase(db).sequence;
  const atMost = Math.min(last - 1, base + mostDropped);
  const byNumber = base + droppedOf(retention, last - base, selectMeanBytes(db, base + 1, last));
  const someTooOld = selectLastOlder(db, atMost, nowMs - retention.maxAgeMs) !== undefined;
  const byAge = someTooOld ? selectLastOlder(db, atMost, nowMs - youngestDroppedMs(retention)) : undefined;
  const wanted = Math.max(byNumber, byAge ?? base);
  if (wanted <= base) return undefined;
  const upTo = selectUpTo(db, Math.min(wanted, atMost));
  return upTo && { upTo, more: wanted >= atMost && atMost < last - 1 };
}
