import type { Clock } from "#base/clock.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import { actorOf, type Caller } from "#wire/handler.ts";

/** One line a minute for each caller, endpoint and reason; of nobody known, for each address and reason: a program that asks again and again must not fill the log. */
const quietMs = 60_000;
const mostKeys = 10_000;
/**
 * Of all refusals together, so that a flood from many addresses does not push history out of the log either. What is
 * beyond is not told: the lines before it say already that somebody is trying.
 */
export const linesAMinute = 120;

export interface Refusal {
  readonly endpoint: string;
  readonly reason: string;
  readonly caller: Caller;
  readonly address: string;
  readonly correlation: string;
}

export interface Refusals {
  /** Somebody may not do this, another site tried it through a browser, or what was shown is not good. */
  record(refusal: Refusal): void;
  /** A sign-in that failed. `name` only of an account that exists: what was typed may be a password. */
  recordSignIn(refusal: {
    readonly name: string | undefined;
    readonly address: string;
    readonly failures: number;
    readonly correlation: string;
  }): void;
}

export function makeRefusals(events: EventLog, clock: Clock): Refusals {
  const told = new Map<string, number>();
  const mayTell = makeBudget(clock);
  const note = (origin: Origin, subject: string, data: Parameters<EventLog["note"]>[2]) => {
    if (mayTell()) events.note(origin, subject, data);
  };
  return {
    record({ endpoint, reason, caller, address, correlation }) {
      const actor = actorOf(caller);
      const key = JSON.stringify([actor, caller.kind === "nobody" ? "" : endpoint, reason, address]);
      const tickMs = clock.tickMs();
      if (tickMs - (told.get(key) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
      told.delete(key);
      told.set(key, tickMs);
      if (told.size > mostKeys) told.delete(told.keys().next().value ?? "");
      const known = caller.kind === "user" || caller.kind === "token";
      note({ actor, correlation }, known ? `${caller.kind}:${caller.name}` : "hub", {
        ...{ type: "access.refused", endpoint, reason, address },
      });
    },
    recordSignIn({ name, address, failures, correlation }) {
      note({ actor: "nobody", correlation }, `user:${name ?? "?"}`, {
        ...{ type: "session.refused", reason: "wrong name or password", address, failures },
      });
    },
  };
}

/** True so many times a minute. */
function makeBudget(clock: Clock): () => boolean {
  let sinceMs = clock.tickMs();
  let spent = 0;
  return () => {
    const tickMs = clock.tickMs();
    if (tickMs - sinceMs >= 60_000) {
      sinceMs = tickMs;
      spent = 0;
    }
    return spent++ < linesAMinute;
  };
}
