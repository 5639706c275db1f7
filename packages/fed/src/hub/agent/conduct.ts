import type { Clock } from "#base/clock.ts";
import { makeAllowance } from "./allowance.ts";

/** What is kept of a machine from one connection to the next: who connects anew begins nothing anew. */
export interface Conduct {
  /** Waits until one more tick may be taken. */
  readonly allow: (signal: AbortSignal) => Promise<void>;
  /** Ticks that it has lost and that are to be told now; 0 for none: they are told with the next ones. */
  lost(ticks: number): number;
  /** Whether it is time to note once more that it cannot be read. */
  unreadable(): boolean;
}

const quietMs = 60_000;

export function makeConduct(clock: Clock): Conduct {
  const mayTell = makeNowAndThen(clock);
  const mayNote = makeNowAndThen(clock);
  let pending = 0;
  return {
    allow: makeAllowance(clock),
    lost(ticks) {
      pending += ticks;
      if (pending === 0 || !mayTell()) return 0;
      const told = pending;
      pending = 0;
      return told;
    },
    unreadable: mayNote,
  };
}

/** Once a minute at most. */
function makeNowAndThen(clock: Clock): () => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = clock.tickMs();
    if (nowMs - lastMs < quietMs) return false;
    lastMs = nowMs;
    return true;
  };
}
