import type { Clock } from "#base/clock.ts";
import type { StreamItem } from "#wire/event.ts";
import type { EventFilter } from "./event.ts";

/** Between two nudges that something has changed. */
const nudgeMs = 100;

/** Some events that follow one another. */
export interface Page {
  readonly first: number;
  readonly last: number;
  /** Those of them that are asked for. */
  readonly items: readonly StreamItem[];
  /** Reading it took a while. */
  readonly fromDisk: boolean;
}

export interface StreamSource {
  readonly clock: Clock;
  /** Aborts when the log is closed. */
  readonly closed: AbortSignal;
  /** Sequence of the newest event. */
  last(): number;
  /** The events that follow; undefined when there are none. */
  after(sequence: number, filter: EventFilter): Page | undefined;
}

interface Ears {
  onEvent(wake: () => void): () => void;
  onChanged(wake: () => void): () => void;
}

/**
 * Reads by a cursor what is kept anyway: nothing is queued for a reader, however slow. Begins with this call, not with
 * the first pull, and ends with the signal, with the log, or when the reader stops.
 */
export function streamEvents(
  source: StreamSource,
  from: { readonly filter: EventFilter; readonly after: number | undefined },
  ears: Ears,
  signal: AbortSignal,
): AsyncIterable<StreamItem> {
  const bell = makeBell();
  const nudge = makeNudge(source.clock, bell.ring);
  const deafen = [ears.onEvent(bell.ring), ears.onChanged(nudge.note)];
  const ends = [signal, source.closed];
  const end = () => {
    if (bell.ended) return;
    for (const one of ends) one.removeEventListener("abort", end);
    for (const one of deafen) one();
    nudge.close();
    bell.end();
  };
  for (const one of ends) one.addEventListener("abort", end, { once: true });
  if (ends.some(({ aborted }) => aborted)) end();
  return read(source, from.filter, from.after ?? source.last(), source.last(), { bell, nudge, end });
}

async function* read(
  source: StreamSource,
  filter: EventFilter,
  after: number,
  lastAtStart: number,
  { bell, nudge, end }: { bell: Bell; nudge: Nudge; end(): void },
): AsyncIterable<StreamItem> {
  let cursor = Math.min(after, lastAtStart);
  try {
    // The reader has seen more than there is: the database was put back to an earlier state.
    if (after > lastAtStart && !bell.ended) yield { kind: "gap", first: cursor + 1 };
    while (!bell.ended) {
      const page = cursor < source.last() ? source.after(cursor, filter) : undefined;
      if (page !== undefined) {
        if (page.first > cursor + 1) yield { kind: "gap", first: page.first };
        for (const item of page.items) {
          if (bell.ended) return;
          yield item;
        }
        cursor = page.last;
        // Whoever reads all of a long log must not keep the others waiting.
        if (page.fromDisk) await new Promise((resolve) => setImmediate(resolve));
      }
      if (nudge.take()) yield { kind: "changed" };
      else if (page === undefined) await bell.rung();
    }
  } finally {
    end();
  }
}

type Bell = ReturnType<typeof makeBell>;
type Nudge = ReturnType<typeof makeNudge>;

/** Wakes the one who waits; a ring that nobody waits for is not lost. */
function makeBell() {
  let ringing = false;
  let ended = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    ringing = true;
    wake?.();
  };
  return {
    ring,
    async rung() {
      if (!ringing)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      ringing = false;
      wake = undefined;
    },
    end() {
      ended = true;
      ring();
    },
    get ended() {
      return ended;
    },
  };
}

/** Many changes in a short time become one nudge; one that comes during the pause is told after it. */
function makeNudge(clock: Clock, ring: () => void) {
  let changed = false;
  let pausing: { cancel(): void } | undefined;
  return {
    note() {
      changed = true;
      if (pausing === undefined) ring();
    },
    /** True when it is to be told now. */
    take(): boolean {
      if (!changed || pausing !== undefined) return false;
      changed = false;
      pausing = clock.after(nudgeMs, () => {
        pausing = undefined;
        if (changed) ring();
      });
      return true;
    },
    close: () => pausing?.cancel(),
  };
}
