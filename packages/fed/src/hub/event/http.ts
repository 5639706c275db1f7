import type { HandlersOf } from "#wire/handler.ts";
import { readFilter } from "./event.ts";
import type { EventLog } from "./verbs.ts";

export function eventHandlers(needs: {
  readonly events: EventLog;
  /** Something people see has changed. */
  onChanged(listener: () => void): () => void;
}): HandlersOf<"events" | "eventStream" | "verifyEvents"> {
  const { events } = needs;
  return {
    async events({ type, subject, before, sinceMs, limit }, { signal }) {
      const found = await events.search(
        { ...readFilter({ type, subject }), before, sinceMs, limit: limit + 1 },
        signal,
      );
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return { events: page, ...(found.length > limit && last ? { more: last.sequence } : {}) };
    },
    eventStream: ({ type, subject, after }, { signal }) =>
      events.stream({ filter: readFilter({ type, subject }), after }, (listener) => needs.onChanged(listener), signal),
    verifyEvents({ head }) {
      const [sequence = "", hash = ""] = head?.split(":") ?? [];
      return events.verify(head === undefined ? undefined : { sequence: Number(sequence), hash });
    },
  };
}
