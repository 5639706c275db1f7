import { childController } from "./abort.ts";

/** What came of one item. */
export type FanOutcome<R> =
  | { readonly kind: "done"; readonly value: R }
  | { readonly kind: "failed"; readonly reason: unknown };

/**
 * Works on every item, on at most `atOnce` of them at the same time, in their order; the outcomes in the order of the items. One that
 * fails does not hold up the others. After an abort nothing is begun any more: it rejects with the signal's reason when what was begun
 * has settled.
 */
export async function fanOut<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal: AbortSignal,
): Promise<readonly FanOutcome<R>[]> {
  if (!(atOnce >= 1)) throw new RangeError(`work on ${atOnce} items at once never ends`);
  signal.throwIfAborted();
  const outcomes: FanOutcome<R>[] = [];
  // A child, so that hundreds of workers do not stand on a signal that lives long.
  const { controller, release } = childController(signal);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      if (controller.signal.aborted) return;
      try {
        outcomes[index] = { kind: "done", value: await work(item, controller.signal) };
      } catch (reason) {
        outcomes[index] = { kind: "failed", reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  release();
  signal.throwIfAborted();
  return outcomes;
}
