import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Redactor } from "#base/redact.ts";
import type { Trace } from "#base/trace.ts";
import type { Database, Settled, Tx } from "#disk/sqlite.ts";
import type { EventData, FedEvent, StreamItem, Verdict } from "#wire/event.ts";
import { type Head, type Link, linkAfter } from "./chain.ts";
import { defaultRetention, type EventFilter, matches, type Retention } from "./event.ts";
import { type ClockState, findCut } from "./retention.ts";
import { openRing, type Ring } from "./ring.ts";
import { searchNewest } from "./search.ts";
import { dropUpTo, insertEvent, type ListQuery, selectAfter, selectHead, selectNewest } from "./store.ts";
import { type Page, type StreamSource, streamEvents } from "./stream.ts";
import { partedFrom, verifyChain } from "./verify.ts";

/** Who does a deed, and what it belongs to. */
export interface Origin {
  readonly actor: string;
  readonly correlation: string;
}

/** Records an event in the transaction of its deed. */
export type Emit = (subject: string, data: EventData) => void;

export interface EventLog {
  /**
   * Does a deed: one transaction for its rows and its events. Listeners hear of the events once it is committed, in their
   * order, and of none when it is undone. What a listener does itself is told after that.
   */
  deed<T>(origin: Origin, work: (tx: Tx, emit: Emit) => Settled<T>): T;
  /**
   * Records what has happened by itself. What happened cannot be refused: while the disk is full it is told in the
   * program's diary only, and the answer is false.
   */
  note(origin: Origin, subject: string, data: EventData): boolean;
  /** Hears every event from now on; the returned function ends that. */
  listen(listener: (event: FedEvent) => void): () => void;
  /** The newest first, at once: for who knows that few subjects are asked for. */
  list(query: ListQuery): readonly FedEvent[];
  /** The same, for whatever people ask: a search through much of the log gives others their turn. */
  search(query: ListQuery, signal: AbortSignal): Promise<readonly FedEvent[]>;
  /**
   * What happens from `after` on (from this call on when left out), until the signal aborts, the reader stops or the log
   * is closed. It is kept nowhere for a reader, so a slow one costs nothing; one that comes back too late, or knows more
   * than there is, gets a `gap`. `changed` comes at most every 100 ms.
   */
  stream(
    from: { readonly filter: EventFilter; readonly after: number | undefined },
    onChanged: (listener: () => void) => () => void,
    signal: AbortSignal,
  ): AsyncIterable<StreamItem>;
  /**
   * Walks the whole chain, a page at a time. Who asks while it is walked gets the same answer. `noted` is the head of an
   * earlier verdict: whether it is still in the chain.
   */
  verify(noted?: Head): Promise<Verdict>;
  /** Drops what is too old or too much, at most 10,000 events at a time; true when more is left to drop. */
  trim(origin: Origin): boolean;
  /** Sequence of the newest event. */
  readonly last: number;
  /** Ends every stream and a walk under way. Deeds are done no more: the database is closed next. */
  close(): void;
}

export interface EventLogNeeds {
  readonly db: Database;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly retention?: Retention;
  /** Takes secrets out of what is written. */
  readonly redactor?: Pick<Redactor, "redactIn">;
}

const pageEvents = 500;

export function openEventLog(needs: EventLogNeeds): EventLog {
  const { db, clock, trace, retention = defaultRetention, redactor } = needs;
  const told = makeTelling(trace);
  const ring = openRing();
  const closing = new AbortController();
  let head = selectHead(db);
  const lookAtClock = makeClockWatch(clock);
  let verifying: Promise<Verdict> | undefined;

  const deed = <T>(origin: Origin, work: (tx: Tx, emit: Emit) => Settled<T>): T => {
    let next = head;
    const emitted: FedEvent[] = [];
    const result = db.tx((tx) =>
      work(tx, (subject, { type, ...data }) => {
        const clean = redactor?.redactIn(data) ?? data;
        const said = { atMs: clock.nowMs(), type, ...origin, subject, data: JSON.stringify(clean) };
        const link = linkAfter(next, said);
        insertEvent(tx, link);
        next = link;
        emitted.push(eventOf(link));
      }),
    );
    // Only now: a deed that is undone, or that fails to commit, has moved nothing.
    head = { sequence: next.sequence, hash: next.hash };
    for (const event of emitted) ring.add(event);
    told.tell(emitted);
    return result as T;
  };

  const source: StreamSource = {
    clock,
    closed: closing.signal,
    last: () => head.sequence,
    after: (sequence, filter) => pageNear(ring, sequence, filter) ?? pageFar(db, sequence, filter),
  };

  return {
    deed,
    note: (origin, subject, data) => note(deed, trace, origin, subject, data),
    listen: told.listen,
    list: (query) => selectNewest(db, query).map(eventOf),
    search: async (query, signal) => (await searchNewest(db, query, [signal, closing.signal])).map(eventOf),
    stream: (from, onChanged, signal) => streamEvents(source, from, { onEvent: told.listen, onChanged }, signal),
    verify(noted) {
      verifying ??= verifyChain(db, () => head, closing.signal).finally(() => {
        verifying = undefined;
      });
      if (noted === undefined) return verifying;
      return verifying.then((verdict) => (verdict.kind === "sound" && partedFrom(db, noted)) || verdict);
    },
    trim(origin) {
      const cut = findCut(db, retention, head.sequence, { nowMs: clock.nowMs(), clock: lookAtClock() });
      if (cut === undefined) return false;
      const { upTo, more } = cut;
      deed(origin, (tx, emit) => {
        const events = dropUpTo(tx, upTo);
        emit("hub", { type: "log.trimmed", upTo: upTo.sequence, events, head: upTo.hash });
      });
      return more;
    },
    get last() {
      return head.sequence;
    },
    close: () => closing.abort(new Fault("unreachable", "the hub is stopping")),
  };
}

/** Between two cuts of the log, more than a clock that runs true is set by. */
const setByMs = 60_000;

/** Whether the clock was set since the last look. A machine that slept looks the same: then the next look is in time. */
function makeClockWatch(clock: Clock): () => ClockState {
  const aheadMs = () => clock.nowMs() - clock.tickMs();
  let before = aheadMs();
  return () => {
    const now = aheadMs();
    const moved = Math.abs(now - before) > setByMs;
    before = now;
    return moved ? "set" : "steady";
  };
}

/** Tells each event to all before the next one, also those of a deed that a listener does meanwhile. */
function makeTelling(trace: Trace) {
  const listeners = new Set<{ readonly hear: (event: FedEvent) => void }>();
  const untold: FedEvent[] = [];
  let telling = false;
  const tellOne = (event: FedEvent) => {
    for (const listener of [...listeners]) {
      try {
        listener.hear(event);
      } catch (thrown) {
        trace.error("who listens to the events has failed", { reason: String(thrown) });
      }
    }
  };
  return {
    tell(events: readonly FedEvent[]) {
      untold.push(...events);
      if (telling) return;
      telling = true;
      try {
        for (let event = untold.shift(); event !== undefined; event = untold.shift()) tellOne(event);
      } finally {
        telling = false;
      }
    },
    listen(hear: (event: FedEvent) => void) {
      // Its own entry, so that one function that listens twice is heard twice and ends one at a time.
      const entry = { hear };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}

function note(deed: EventLog["deed"], trace: Trace, origin: Origin, subject: string, data: EventData): boolean {
  try {
    deed(origin, (_tx, emit) => emit(subject, data));
    return true;
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code === "internal") throw thrown;
    trace.warn("an event could not be written", { type: data.type, subject, reason: thrown.message });
    return false;
  }
}

function pageNear(ring: Ring, sequence: number, filter: EventFilter): Page | undefined {
  const items = ring.after(sequence, pageEvents);
  const [first] = items ?? [];
  const last = items?.at(-1);
  if (items === undefined || first === undefined || last === undefined) return undefined;
  return {
    first: first.event.sequence,
    last: last.event.sequence,
    items: items.filter(({ event }) => matches(filter, event)),
    fromDisk: false,
  };
}

function pageFar(db: Database, sequence: number, filter: EventFilter): Page | undefined {
  const links = selectAfter(db, sequence, pageEvents);
  const [first] = links;
  const last = links.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    first: first.sequence,
    last: last.sequence,
    items: links.flatMap((link) => (matches(filter, link) ? [{ kind: "event", event: eventOf(link) }] : [])),
    fromDisk: true,
  };
}

function eventOf({ data, ...link }: Link): FedEvent {
  return { ...link, data: JSON.parse(data) } as FedEvent;
}
