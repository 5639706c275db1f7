import { type Clock, sleep } from "#base/clock.ts";
import type { EventLog, Origin } from "./event/verbs.ts";
import type { Control } from "./service/control.ts";
import { stopLimitMs } from "./service/stop-limit.ts";

export interface StopNeeds {
  readonly events: EventLog;
  readonly control: Control;
  readonly clock: Clock;
  /** Aborts when the machine goes down, so that there is no time for services that are slow to end. */
  readonly hurry: AbortSignal;
  /** Closes the door; streams that tell of the stop last until the promise settles. */
  shut(until: Promise<unknown>): Promise<void>;
}

/** How a hub ends: everything it runs is asked to end, and the door closes at once. */
export interface Stop {
  readonly begun: boolean;
  /** Only the first counts. */
  begin(origin: Origin, reason: string, what: "processes" | "everything"): void;
  /**
   * Waits until nothing runs: as long as the services may need by their graces, or until the hurry's little time is over.
   * What runs on then is told, and answered.
   */
  settle(): Promise<readonly string[]>;
  /** Settles when even the hub itself has no time left; never without hurry. */
  readonly outOfTime: Promise<void>;
}

/** Of the five seconds that a hub in a hurry has: for its services, and for everything. */
const hurriedMs = { services: 3_000, everything: 4_700 } as const;
/** For the last lines of the streams that tell of the stop. */
const lastWordsMs = 500;

export function makeStop({ events, control, clock, hurry, shut }: StopNeeds): Stop {
  let by: Origin | undefined;
  const settled = Promise.withResolvers<void>();
  const hurried = Promise.withResolvers<void>();
  if (hurry.aborted) hurried.resolve();
  hurry.addEventListener("abort", () => hurried.resolve(), { once: true });

  return {
    get begun() {
      return by !== undefined;
    },
    begin(origin, reason, what) {
      if (by !== undefined) return;
      by = origin;
      events.note(origin, "hub", { type: "hub.stopping", reason });
      control.leave(what);
      void shut(settled.promise.then(() => sleep(clock, lastWordsMs)));
    },
    async settle() {
      const late = new AbortController();
      const limit = clock.after(stopLimitMs(control.services()), () => late.abort());
      void hurried.promise
        .then(() => sleep(clock, hurriedMs.services, late.signal))
        .then(
          () => late.abort(),
          () => undefined,
        );
      await control.loop.settled(late.signal).catch(() => undefined);
      limit.cancel();
      late.abort();
      const left = control.running();
      if (by !== undefined && left.length > 0) {
        events.note(by, "hub", { type: "hub.leftRunning", services: left.join(", ").slice(0, 1_000) });
      }
      settled.resolve();
      return left;
    },
    outOfTime: hurried.promise.then(() => sleep(clock, hurriedMs.everything)),
  };
}
