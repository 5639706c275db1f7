/**
 * Runs what is asked for at once, then no more often than every `pauseMs` while more is asked for. The last to ask is always
 * served, so what is shown is never older than a pause, and a burst of a thousand events costs a few requests.
 */
export function makeNudge<T>(run: (asked: ReadonlySet<T>) => void, pauseMs: number) {
  let waiting = new Set<T>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    timer = undefined;
    if (waiting.size === 0) return;
    const asked = waiting;
    waiting = new Set();
    timer = setTimeout(flush, pauseMs);
    run(asked);
  }

  return (things: readonly T[]): void => {
    for (const thing of things) waiting.add(thing);
    if (timer === undefined) flush();
  };
}
