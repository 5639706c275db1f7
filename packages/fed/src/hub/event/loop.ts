import type { EventLog, Origin } from "./verbs.ts";

/** Drops what the log need not keep, some of it at a time, so that nobody waits for it. */
export function trimLoop(events: EventLog, origin: () => Origin) {
  return {
    name: "event.trim",
    intervalMs: 3_600_000,
    jitter: 0.1,
    timeoutMs: 60_000,
    async run(signal: AbortSignal) {
      const one = origin();
      while (!signal.aborted && events.trim(one)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
