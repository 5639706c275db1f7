import type { Clock } from "#base/clock.ts";
import { isFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Database, Settled, Tx } from "#disk/sqlite.ts";
import type { EventData, FedEvent, StreamItem, Verdict } from "#wire/event.ts";
import { type Head, hashOf, type Link, walk } from "./chain.ts";
import { defaultRetention, type EventFilter, keptEvents, type Retention } from "./event.ts";
import { openRing } from "./ring.ts";
import {
  dropUpTo,
  insertEvent,
  type ListQuery,
  selectAfter,
  selectAt,
  selectBase,
  selectHead,
  selectLastBefore,
  selectMeanBytes,
  selectNewest,
} from "./store.ts";
import { type StreamSource, streamEvents } from "./stream.ts";

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
  /**
   * Records what has happened by itself. What happened cannot be refused: while the disk is full it is told in the
   * program's diary only, and the answer is false.
   */
  note(origin: Origin, subject: string, data: EventData): boolean;
  /** Hears every event from now on; the returned function ends that. */
  listen(listener: (event: FedEvent) => void): () => void;
  /** The newest first. */
  list(query: ListQuery): readonly FedEvent[];
  /**
   * What happens from `after` on (from now on when left out), for as long as the reader asks. It is kept nowhere for a
   * reader, so a slow one costs nothing; one that comes back too late gets a `gap`. `changed` comes at most every 100 ms.
   */
  stream(
    from: { readonly filter: EventFilter; readonly after: number | undefined },
    onChanged: (listener: () => void) => () => void,
    signal: AbortSignal,
  ): AsyncIterable<StreamItem>;
  /** Walks the whole chain, a page at a time. */
  verify(): Promise<Verdict>;
  /** Drops what is too old or too much, at most 10,000 events at a time; true when more is left to drop. */
  trim(origin: Origin): boolean;
  /** Sequence of the newest event. */
  readonly last: number;
}

export interface EventLogNeeds {
  readonly db: Database;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly retention?: Retention;
}

const pageEvents = 2_000;
const mostDropped = 10_000;

export function openEventLog(needs: EventLogNeeds): EventLog {
  const { db, clock, trace, retention = defaultRetention } = needs;
  const listeners = new Set<(event: FedEvent) => void>();
  const ring = openRing();
  let head = selectHead(db);

  const tell = (event: FedEvent) => {
    ring.add(event);
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (thrown) {
        trace.error("who listens to the events has failed", { reason: String(thrown) });
      }
    }
  };

  const deed = <T>(origin: Origin, work: (tx: Tx, emit: Emit) => Settled<T>): T => {
    let next = head;
    const emitted: FedEvent[] = [];
    const { actor, correlation } = origin;
    const result = db.tx((tx) =>
      work(tx, (subject, { type, ...data }) => {
        const link = linkAfter(next, {
          atMs: clock.nowMs(),
          type,
          actor,
          correlation,
          subject,
          data: JSON.stringify(data),
        });
        insertEvent(tx, link);
        next = link;
        emitted.push(eventOf(link));
      }),
    );
    head = { sequence: next.sequence, hash: next.hash };
    for (const event of emitted) tell(event);
    return result as T;
  };

  const source: StreamSource = {
    clock,
    last: () => head.sequence,
    after: (sequence) =>
      ring.after(sequence) ??
      selectAfter(db, sequence, 500).map((link): StreamItem => ({ kind: "event", event: eventOf(link) })),
  };

  return {
    deed,
    note(origin, subject, data) {
      try {
        deed(origin, (_tx, emit) => emit(subject, data));
        return true;
      } catch (thrown) {
        if (!isFault(thrown) || thrown.code === "internal") throw thrown;
        trace.warn("an event could not be written", { type: data.type, subject, reason: thrown.message });
        return false;
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    list: (query) => selectNewest(db, query).map(eventOf),
    stream: (from, onChanged, signal) =>
      streamEvents(source, from, { onEvent: (wake) => listenWith(listeners, wake), onChanged }, signal),
    verify: () => verify(db),
    trim: (origin) => trim(db, deed, origin, retention, head, clock.nowMs()),
    get last() {
      return head.sequence;
    },
  };
}

function listenWith(listeners: Set<(event: FedEvent) => void>, wake: () => void): () => void {
  const listener = () => wake();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function linkAfter(head: Head, said: Omit<Link, "sequence" | "hash">): Link {
  const link = { ...said, atMs: Math.floor(said.atMs), sequence: head.sequence + 1 };
  return { ...link, hash: hashOf(head.hash, link) };
}

function eventOf({ data, ...link }: Link): FedEvent {
  return { ...link, data: JSON.parse(data) } as FedEvent;
}

async function verify(db: Database): Promise<Verdict> {
  const base = selectBase(db);
  const until = selectHead(db).sequence;
  let head = base;
  while (head.sequence < until) {
    const page = selectAfter(db, head.sequence, pageEvents);
    const walked = walk(head, page);
    // Retention may have moved on meanwhile: what it dropped is not missing.
    if (walked.kind === "broken") return selectBase(db).sequence === base.sequence ? walked : verify(db);
    head = walked.head;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    kind: "sound",
    events: head.sequence - base.sequence,
    first: base.sequence + 1,
    last: head.sequence,
    head: head.hash,
  };
}

/** The event that tells of it is not dropped with them, so the newest always stays. */
function trim(
  db: Database,
  deed: EventLog["deed"],
  origin: Origin,
  retention: Retention,
  head: Head,
  nowMs: number,
): boolean {
  const base = selectBase(db).sequence;
  const byNumber = head.sequence - keptEvents(retention, selectMeanBytes(db));
  const mostUpTo = Math.min(head.sequence - 1, base + mostDropped);
  const old = selectLastBefore(db, nowMs - retention.maxAgeMs, head.sequence - 1)?.sequence ?? 0;
  const wanted = Math.max(byNumber, old);
  const last = selectAt(db, Math.min(wanted, mostUpTo));
  if (last === undefined) return false;
  deed(origin, (tx, emit) => {
    const events = dropUpTo(tx, last);
    emit("hub", { type: "log.trimmed", upTo: last.sequence, events, head: last.hash });
  });
  return wanted > last.sequence;
}
