import { untilAborted } from "#base/abort.ts";

/** Those who wait for something to become true. */
export interface Waiters {
  /** To be called with each change: whoever waits looks again. */
  wake(): void;
  /** Resolves once the condition holds; rejects when the signal aborts. */
  until(condition: () => boolean, signal: AbortSignal): Promise<void>;
}

export function makeWaiters(): Waiters {
  const waiting = new Set<() => void>();
  return {
    wake() {
      for (const look of [...waiting]) look();
    },
    async until(condition, signal) {
      while (!condition()) {
        signal.throwIfAborted();
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        try {
          await untilAborted(promise, signal);
        } finally {
          waiting.delete(resolve);
        }
      }
    },
  };
}
