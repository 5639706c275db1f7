import type { FedEvent, StreamItem } from "#wire/event.ts";

/** The newest events stay in memory, each as one object for all readers, so that it is made into text once. */
const kept = 1_000;
/** So many more before the oldest go, so that not every event moves all others. */
const slack = 250;

export type EventItem = StreamItem & { readonly kind: "event" };

export interface Ring {
  add(event: FedEvent): void;
  /** At most `limit` of the events that follow, oldest first; undefined when some of them are no longer here. */
  after(sequence: number, limit: number): readonly EventItem[] | undefined;
}

export function openRing(): Ring {
  let items: EventItem[] = [];
  let first = 0;
  return {
    add(event) {
      if (items.length === 0) first = event.sequence;
      items.push({ kind: "event", event });
      if (items.length < kept + slack) return;
      items = items.slice(-kept);
      first = event.sequence - kept + 1;
    },
    after(sequence, limit) {
      if (items.length === 0 || sequence + 1 < first) return undefined;
      return items.slice(sequence + 1 - first, sequence + 1 - first + limit);
    },
  };
}
