import { Fault } from "./fault.ts";

/** A started timer. */
export interface Timer {
  cancel(): void;
}

/** Time as an argument: the machine's in production, turned by hand in tests. */
export interface Clock {
  /** Wall time in milliseconds since the epoch; may jump. For people and for the log. */
  nowMs(): number;
  /** A steady count of milliseconds from an arbitrary start; never goes back. For durations. */
  tickMs(): number;
  /** Calls `wake` once after `delayMs`. */
  after(delayMs: number, wake: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  tickMs: () => performance.now(),
  after(delayMs, wake) {
    const timer = setTimeout(wake, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Waits `delayMs` on the clock; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Runs `work` with a signal that aborts after `limitMs` (Fault `timeout`, naming `what`) or with `signal`.
 * The promise settles at the deadline even when the work ignores its signal.
 */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const timer = clock.after(limitMs, () =>
    controller.abort(new Fault("timeout", `${what} took longer than ${limitMs} ms`)),
  );
  const both = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  try {
    return await untilAborted(work(both), both);
  } finally {
    timer.cancel();
  }
}

/** The promise's outcome, or the signal's reason, whichever is first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
