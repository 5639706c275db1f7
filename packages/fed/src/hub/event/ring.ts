import type { FedEvent, StreamItem } from "#wire/event.ts";

/** The newest events stay in memory, each as one object for all readers, so that it is made into text once. */
const kept = 1_000;
const page = 500;

export interface Ring {
  add(event: FedEvent): void;
  /** The events that follow, oldest first; undefined when some of them are no longer here. */
  after(sequence: number): readonly StreamItem[] | undefined;
}

export function openRing(): Ring {
  let items: StreamItem[] = [];
  let first = 0;
  return {
    add(event) {
      if (items.length === 0) first = event.sequence;
      items.push({ kind: "event", event });
      if (items.length < 2 * kept) return;
      items = items.slice(-kept);
      first = event.sequence - kept + 1;
    },
    after(sequence) {
      if (items.length === 0 || sequence + 1 < first) return undefined;
      return items.slice(sequence + 1 - first, sequence + 1 - first + page);
    },
  };
}
