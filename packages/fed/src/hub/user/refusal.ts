import type { Clock } from "#base/clock.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import { actorOf, type Caller } from "#wire/handler.ts";

/** One line a minute for each caller and endpoint: a program that asks again and again must not fill the log. */
const quietMs = 60_000;
const mostKeys = 10_000;

export function makeRefusals(events: EventLog, clock: Clock) {
  const told = new Map<string, number>();
  return {
    record(refusal: { endpoint: string; reason: string; caller: Caller; address: string }): void {
      const { endpoint, reason, caller, address } = refusal;
      const actor = actorOf(caller);
      const key = JSON.stringify([actor, endpoint, reason, address]);
      const nowMs = clock.nowMs();
      if (nowMs - (told.get(key) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
      told.delete(key);
      told.set(key, nowMs);
      if (told.size > mostKeys) told.delete(told.keys().next().value ?? "");
      events.note({ actor, correlation: "hub" }, actor.includes(":") ? actor : "hub", {
        ...{ type: "access.refused", endpoint, reason, address },
      });
    },
  };
}
