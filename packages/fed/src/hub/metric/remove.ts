import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { HandlersOf } from "#wire/handler.ts";
import { bad, readSelectors, readSpan } from "./metric.ts";
import type { Metrics } from "./verbs.ts";

/** The door by which samples go before their time. */
export function removeHandlers(needs: {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly events: Pick<EventLog, "note">;
}): HandlersOf<"deleteSeries"> {
  const { metrics, clock, events } = needs;
  return {
    async deleteSeries({ "match[]": given, start, end }, { actor, correlation }) {
      const selectors = readSelectors(given);
      const span = readSpan(start, end, clock.nowMs());
      if (selectors.length === 0) throw bad("match[]", "no series are named", "Name them by a selector.");
      const asked = {
        ...({ type: "metric.deletionAsked", selectors: [given].flat() } as const),
        ...(start === undefined ? {} : { startMs: span.startMs }),
        ...(end === undefined ? {} : { endMs: span.endMs }),
      };
      // Told before it is done: what is gone for good must not be gone without a word, whatever happens on the way.
      if (!events.note({ actor, correlation }, "hub", asked)) {
        throw new Fault("unreachable", "nothing was deleted: the hub cannot write down who asked for it", {
          hint: "Make room on its disk.",
        });
      }
      await metrics.remove(selectors, span);
      return "";
    },
  };
}
