import { Fault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";

/** A database whose writing can be ended for good. */
export interface Writing {
  readonly db: Database;
  /** Why nothing is written any more; undefined while all is well. */
  readonly stopped: Stopped | undefined;
  /** From now on every transaction is refused with Fault `unreachable`, as on a full disk; reading goes on. */
  stop(why: Fault, nowMs: number): void;
}

export interface Stopped {
  readonly sinceMs: number;
  readonly why: Fault;
}

export function makeWriting(db: Database): Writing {
  let stopped: Stopped | undefined;
  return {
    db: {
      path: db.path,
      get room() {
        return db.room;
      },
      prepare: (text, read) => db.prepare(text, read),
      tx(work) {
        if (stopped === undefined) return db.tx(work);
        const { message, hint, details } = stopped.why;
        throw new Fault("unreachable", `nothing is written any more: ${message}`, {
          hint,
          details,
          cause: stopped.why,
        });
      },
      close: () => db.close(),
    },
    get stopped() {
      return stopped;
    },
    stop(why, nowMs) {
      stopped ??= { why, sinceMs: nowMs };
    },
  };
}
