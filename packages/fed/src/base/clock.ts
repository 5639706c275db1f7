import { childController, untilAborted } from "./abort.ts";
import { Fault } from "./fault.ts";

/** A started timer. */
export interface Timer {
  /** After this `wake` is not called any more; harmless when it already was. */
  cancel(): void;
}

/** Time as an argument: the machine's in production, turned by hand in tests. */
export interface Clock {
  /** Wall time in milliseconds since the epoch; may jump. For people and for the log. */
  nowMs(): number;
  /** A steady count of milliseconds from an arbitrary start; never goes back. For durations. */
  tickMs(): number;
  /** Calls `wake` once after `delayMs` (0 or less: soon), never before `after` has returned. */
  after(delayMs: number, wake: () => void): Timer;
}

/** The longest delay `setTimeout` knows, about 25 days; beyond it fires at once. */
const longestTimeoutMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  tickMs: () => performance.now(),
  after(delayMs, wake) {
    // Node warns of what is below 0.
    let left = Math.max(0, delayMs);
    const start = () => {
      const part = Math.min(left, longestTimeoutMs);
      left -= part;
      return setTimeout(() => {
        if (left > 0) timer = start();
        else wake();
      }, part);
    };
    let timer = start();
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

/** Aborts `delayMs` after `parent` does, with its reason: for what is not to be broken off in the middle. `release` takes back what is left. */
export function delayedSignal(clock: Clock, delayMs: number, parent: AbortSignal) {
  const controller = new AbortController();
  let timer: Timer | undefined;
  const arm = () => {
    timer = clock.after(delayMs, () => controller.abort(parent.reason));
  };
  if (parent.aborted) arm();
  else parent.addEventListener("abort", arm, { once: true });
  return {
    signal: controller.signal,
    release() {
      parent.removeEventListener("abort", arm);
      timer?.cancel();
    },
  };
}

/**
 * Runs `work` with a signal that aborts after `limitMs` (Fault `timeout`, naming `what`) or with `signal`.
 * The promise settles at the deadline even when the work ignores its signal. Work is not begun under an aborted signal.
 */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => PromiseLike<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const { controller, release } = childController(signal);
  const timer = clock.after(limitMs, () =>
    controller.abort(new Fault("timeout", `${what} took longer than ${limitMs} ms`)),
  );
  try {
    return await untilAborted(work(controller.signal), controller.signal);
  } finally {
    timer.cancel();
    release();
  }
}
