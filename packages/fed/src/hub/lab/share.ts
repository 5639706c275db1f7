/**
 * Does the work one at a time, however many ask: who asks before it has begun gets the same answer as all the others, who
 * asks while it is under way that of the next time. So an answer is never older than its question.
 */
export function shareWork<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const own = work();
      running = own.catch(() => undefined);
      return own;
    });
    return next;
  };
}
