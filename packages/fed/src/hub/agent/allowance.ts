import { type Clock, sleep } from "#base/clock.ts";

/**
 * What a machine has kept for a day comes soon; one that only wants to keep the hub busy is held back, and then to what it could take
 * honestly: each tick may be news, and news that never end push what has happened out of the history.
 */
const limits = [
  { atOnce: 200, aSecond: 50 },
  { atOnce: 10_000, aSecond: 2 },
] as const;

/** Waits until the caller may do one more. */
export function makeAllowance(clock: Clock): (signal: AbortSignal) => Promise<void> {
  const spent = limits.map(() => 0);
  let atMs = clock.tickMs();
  return async (signal) => {
    const nowMs = clock.tickMs();
    const passedSeconds = (nowMs - atMs) / 1_000;
    atMs = nowMs;
    const waits = limits.map(({ atOnce, aSecond }, n) => {
      const now = Math.max(0, (spent[n] ?? 0) - passedSeconds * aSecond) + 1;
      spent[n] = now;
      return (now - atOnce) / aSecond;
    });
    const waitSeconds = Math.max(...waits);
    if (waitSeconds > 0) await sleep(clock, waitSeconds * 1_000, signal);
  };
}
