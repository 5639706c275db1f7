import type { Clock } from "#base/clock.ts";
import type { StreamItem } from "#wire/event.ts";
import { type EventFilter, matches } from "./event.ts";

/** Between two nudges that something has changed. */
const nudgeMs = 100;

export interface StreamSource {
  readonly clock: Clock;
  /** Sequence of the newest event. */
  last(): number;
  /** The events that follow, oldest first, some of them at a time; empty when there are none. */
  after(sequence: number): readonly StreamItem[];
}

interface Ears {
  onEvent(wake: () => void): () => void;
  onChanged(wake: () => void): () => void;
}

/** Reads by a cursor what is kept anyway: nothing is queued for a reader, however slow. */
export async function* streamEvents(
  source: StreamSource,
  from: { readonly filter: EventFilter; readonly after: number | undefined },
  ears: Ears,
  signal: AbortSignal,
): AsyncIterable<StreamItem> {
  let cursor = from.after ?? source.last();
  if (cursor > source.last()) {
    // The reader has seen more than there is: the database was put back to an earlier state.
    cursor = source.last();
    yield { kind: "gap", first: cursor + 1 };
  }
  const bell = makeBell(signal);
  const nudge = makeNudge(source.clock, bell.ring);
  const ends = [ears.onEvent(bell.ring), ears.onChanged(nudge.note)];
  try {
    while (!signal.aborted) {
      while (cursor < source.last() && !signal.aborted) {
        const page = source.after(cursor);
        const [next] = page;
        if (next?.kind !== "event") break;
        if (next.event.sequence > cursor + 1) yield { kind: "gap", first: next.event.sequence };
        for (const item of page) {
          if (item.kind !== "event") continue;
          cursor = item.event.sequence;
          if (matches(from.filter, item.event)) yield item;
        }
      }
      if (nudge.take()) yield { kind: "changed" };
      else await bell.rung();
    }
  } finally {
    for (const end of ends) end();
    nudge.close();
    bell.close();
  }
}

/** Wakes the one who waits; a ring that nobody waits for is not lost. */
function makeBell(signal: AbortSignal) {
  let ringing = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    ringing = true;
    wake?.();
  };
  signal.addEventListener("abort", ring, { once: true });
  return {
    ring,
    async rung() {
      if (!ringing && !signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      ringing = false;
      wake = undefined;
    },
    close: () => signal.removeEventListener("abort", ring),
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
