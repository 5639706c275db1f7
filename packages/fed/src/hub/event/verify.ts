import type { Reader } from "#disk/sqlite.ts";
import type { Verdict } from "#wire/event.ts";
import { type Head, walk } from "./chain.ts";
import { selectAfter, selectBase, selectFirst, selectLastTrimmed, selectUpTo } from "./store.ts";

/** Some milliseconds of work, and others have their turn. */
const pageEvents = 1_000;

/**
 * Walks the chain as it is stored, a page at a time. `known` is the newest event as the hub itself wrote it: with it, also
 * the end is proven. Rejects with the signal's reason.
 */
export async function verifyChain(db: Reader, known: () => Head, signal: AbortSignal): Promise<Verdict> {
  let at = selectBase(db);
  for (;;) {
    signal.throwIfAborted();
    const page = selectAfter(db, at.sequence, pageEvents);
    const walked = walk(at, page);
    if (walked.kind === "sound") {
      at = walked.head;
      if (page.length < pageEvents) return verdictOf(db, at, known());
    } else {
      const base = selectBase(db);
      // Retention has moved on past this place meanwhile: what it dropped is not missing.
      if (base.sequence <= at.sequence) return walked;
      at = base;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** All links follow from one another up to `end`; are it and the beginning those that the hub wrote? */
function verdictOf(db: Reader, end: Head, known: Head): Verdict {
  const base = selectBase(db);
  const reason = troubleAtEnd(end, known);
  if (reason !== undefined) return { kind: "broken", ...reason };
  const first = selectFirst(db) ?? base.sequence + 1;
  if (first <= base.sequence) {
    return broken(first, `event ${first} was put in: the log begins after event ${base.sequence}`);
  }
  const trimmed = selectLastTrimmed(db);
  const expected = trimmed ?? { sequence: base.sequence, hash: "" };
  if (expected.sequence !== base.sequence || expected.hash !== base.hash) {
    const told =
      trimmed === undefined ? "no retention is told of" : `retention dropped events up to ${trimmed.sequence}`;
    return broken(
      base.sequence + 1,
      `the log begins with event ${base.sequence + 1}, but ${told}: its beginning was cut off or put in`,
    );
  }
  return {
    kind: "sound",
    events: end.sequence - base.sequence,
    first: base.sequence + 1,
    last: end.sequence,
    base: base.hash,
    head: end.hash,
  };
}

/** What is wrong when an event that was noted is not in a log whose chain is sound; undefined when it is. */
export function partedFrom(db: Reader, noted: Head): Verdict | undefined {
  const { sequence, hash } = noted;
  const parted = (reason: string): Verdict => ({ kind: "parted", sequence, reason });
  const base = selectBase(db);
  if (sequence < base.sequence) {
    return parted(
      `event ${sequence} is no longer kept: retention dropped the events up to ${base.sequence}, so nothing is proven of it`,
    );
  }
  const found = selectUpTo(db, sequence) ?? base;
  if (found.sequence < sequence) {
    return parted(`event ${sequence} is missing: the log ends with event ${found.sequence}, so its end was cut off`);
  }
  if (found.hash === hash) return undefined;
  return parted(`event ${sequence} is not the one that was noted: the log was written anew, from it or one before it`);
}

function troubleAtEnd(end: Head, known: Head): { readonly sequence: number; readonly reason: string } | undefined {
  if (end.sequence < known.sequence) {
    const first = end.sequence + 1;
    const which = first === known.sequence ? `event ${first} is` : `events ${first} to ${known.sequence} are`;
    return { sequence: first, reason: `${which} missing at the end of the log` };
  }
  if (end.sequence > known.sequence) {
    const first = known.sequence + 1;
    return { sequence: first, reason: `event ${first} was put in at the end of the log: this hub did not write it` };
  }
  if (end.hash === known.hash) return undefined;
  return {
    sequence: end.sequence,
    reason: `event ${end.sequence} is not the one this hub wrote: the log was written anew, from an event before it or from this one`,
  };
}

function broken(sequence: number, reason: string): Verdict {
  return { kind: "broken", sequence, reason };
}
