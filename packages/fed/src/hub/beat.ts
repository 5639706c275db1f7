import type { Clock, Timer } from "#base/clock.ts";

type Beaten<T> = { readonly kind: "item"; readonly value: T } | { readonly kind: "beat" };

/** The items, and a beat whenever none came for `everyMs`. */
export async function* withBeats<T>(items: AsyncIterable<T>, clock: Clock, everyMs: number): AsyncIterable<Beaten<T>> {
  const iterator = items[Symbol.asyncIterator]();
  let settled: { readonly result: IteratorResult<T> } | { readonly thrown: unknown } | undefined;
  let wake = () => {};
  const ask = () =>
    iterator.next().then(
      (result) => {
        settled = { result };
        wake();
      },
      (thrown) => {
        settled = { thrown };
        wake();
      },
    );
  try {
    ask();
    for (;;) {
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = clock.after(everyMs, resolve);
        if (settled) resolve();
      });
      timer?.cancel();
      if (settled === undefined) {
        yield { kind: "beat" };
        continue;
      }
      const now = settled;
      settled = undefined;
      if ("thrown" in now) throw now.thrown;
      if (now.result.done) return;
      yield { kind: "item", value: now.result.value };
      ask();
    }
  } finally {
    // Not awaited: one that waits for its next item ends when its signal does.
    void iterator.return?.()?.then(undefined, () => undefined);
  }
}
