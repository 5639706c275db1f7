import { untilAborted } from "#base/abort.ts";
import { Fault } from "#base/fault.ts";

/** Runs the work once it is its turn; first come, first served. Leaves the queue with the signal's reason when aborted. */
export type Turnstile = <T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * Lets so many through at once and keeps so many waiting; Fault `unreachable` for more. Who is aborted makes room at once,
 * also when the work ignores its signal: one that hangs must not close the way for good.
 */
export function makeTurnstile(name: string, limit: { readonly running: number; readonly waiting: number }): Turnstile {
  let running = 0;
  const queue = new Set<() => void>();

  const leave = () => {
    const [next] = queue;
    // The place goes to the next in line, so that nobody slips in between.
    if (next) next();
    else running--;
  };

  const enter = (signal: AbortSignal): Promise<void> | undefined => {
    if (running < limit.running) {
      running++;
      return undefined;
    }
    if (queue.size >= limit.waiting) {
      throw new Fault("unreachable", `${name} is busy: ${limit.running} calls run and ${limit.waiting} wait`, {
        hint: "Try again later.",
      });
    }
    const turn = Promise.withResolvers<void>();
    const go = () => {
      queue.delete(go);
      signal.removeEventListener("abort", giveUp);
      turn.resolve();
    };
    const giveUp = () => {
      queue.delete(go);
      turn.reject(signal.reason);
    };
    queue.add(go);
    signal.addEventListener("abort", giveUp, { once: true });
    return turn.promise;
  };

  return async (work, signal) => {
    signal.throwIfAborted();
    await enter(signal);
    try {
      signal.throwIfAborted();
      return await untilAborted(work(signal), signal);
    } finally {
      leave();
    }
  };
}
