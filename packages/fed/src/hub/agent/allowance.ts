import { type Clock, sleep } from "#base/clock.ts";

/** What a machine has kept for a day comes at once; one that only wants to keep the hub busy is held back. */
const atOnce = 200;
const aSecond = 50;

/** Waits until the caller may do one more. */
export function makeAllowance(clock: Clock): (signal: AbortSignal) => Promise<void> {
  let spent = 0;
  let atMs = clock.tickMs();
  return async (signal) => {
    const nowMs = clock.tickMs();
    spent = Math.max(0, spent - ((nowMs - atMs) / 1_000) * aSecond);
    atMs = nowMs;
    spent++;
    if (spent > atOnce) await sleep(clock, ((spent - atOnce) / aSecond) * 1_000, signal);
  };
}
