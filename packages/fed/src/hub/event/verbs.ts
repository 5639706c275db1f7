import type { Clock } from "#base/clock.ts";
import type { Database, Settled, Tx } from "#disk/sqlite.ts";
import type { EventData, FedEvent } from "#wire/event.ts";
import { insertEvent } from "./store.ts";

/** Who does a deed, and what it belongs to. */
export interface Origin {
  readonly actor: string;
  readonly correlation: string;
}

/** Records an event in the transaction of its deed. */
export type Emit = (subject: string, data: EventData) => void;

export interface EventLog {
  /**
   * Does a deed: one transaction for its rows and its events. Listeners hear of the events once it is committed, and of
   * none when it is undone.
   */
  deed<T>(origin: Origin, work: (tx: Tx, emit: Emit) => Settled<T>): T;
  /** Hears every event from now on; the returned function ends that. */
  listen(listener: (event: FedEvent) => void): () => void;
}

export function openEventLog(db: Database, clock: Clock): EventLog {
  const listeners = new Set<(event: FedEvent) => void>();
  return {
    deed<T>(origin: Origin, work: (tx: Tx, emit: Emit) => Settled<T>): T {
      const emitted: FedEvent[] = [];
      const result = db.tx((tx) =>
        work(tx, (subject, data) => {
          const event = { atMs: clock.nowMs(), ...origin, subject, data };
          emitted.push({ sequence: insertEvent(tx, event), ...event });
        }),
      );
      for (const event of emitted) for (const listener of listeners) listener(event);
      return result as T;
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
