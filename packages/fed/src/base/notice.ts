/** Says that something has changed, without saying what: who hears it looks again. */
export interface Notice {
  send(): void;
  /** The returned function ends it. */
  listen(listener: () => void): () => void;
}

export function makeNotice(): Notice {
  const listeners = new Set<() => void>();
  return {
    send() {
      for (const listener of [...listeners]) listener();
    },
    listen(listener) {
      // Its own entry, so that one function that listens twice is heard twice and ends one at a time.
      const entry = () => listener();
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}
