import type { Clock } from "./clock.ts";

/** A clock for tests that stands still until it is turned. */
export interface HandClock extends Clock {
  /** Moves time on, waking each timer at its own moment and letting promises settle between them. */
  turn(byMs: number): Promise<void>;
  /** How many timers are waiting. */
  readonly waiting: number;
}

export function handClock(startMs = 1_700_000_000_000): HandClock {
  let now = 0;
  let order = 0;
  const timers = new Set<{ at: number; order: number; wake: () => void }>();
  const next = (until: number) =>
    [...timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
  return {
    nowMs: () => startMs + now,
    tickMs: () => now,
    after(delayMs, wake) {
      const timer = { at: now + Math.max(0, delayMs), order: order++, wake };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    async turn(byMs) {
      const until = now + byMs;
      await settle();
      for (let timer = next(until); timer; timer = next(until)) {
        timers.delete(timer);
        now = timer.at;
        timer.wake();
        await settle();
      }
      now = until;
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Lets every promise that can go on without time passing go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
