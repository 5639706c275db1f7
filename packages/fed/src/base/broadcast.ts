/** One writer, any number of readers, each with a bounded queue of its own. */

export interface Broadcast<T> {
  /** Hands the value to every reader. Never waits: a reader whose queue is full loses its oldest value. */
  send(value: T): void;
  /** What is sent from this call on (not: from the first `next`), until the signal aborts or the broadcast is closed. */
  read(signal: AbortSignal): AsyncIterable<T>;
  /** Ends every reader once it has read what was sent. */
  close(): void;
}

interface Reader<T> {
  readonly queue: T[];
  wake: () => void;
}

export function makeBroadcast<T>(queueLimit: number): Broadcast<T> {
  const readers = new Set<Reader<T>>();
  let closed = false;

  async function* drain(reader: Reader<T>, signal: AbortSignal, stop: () => void) {
    try {
      while (!signal.aborted) {
        const value = reader.queue.shift();
        if (value !== undefined) yield value;
        else if (closed) return;
        else
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
      }
    } finally {
      stop();
    }
  }

  return {
    send(value) {
      for (const reader of readers) {
        if (reader.queue.length >= queueLimit) reader.queue.shift();
        reader.queue.push(value);
        reader.wake();
      }
    },
    read(signal) {
      const reader: Reader<T> = { queue: [], wake: () => {} };
      const stop = () => {
        readers.delete(reader);
        signal.removeEventListener("abort", stop);
        reader.wake();
      };
      if (!signal.aborted && !closed) {
        readers.add(reader);
        signal.addEventListener("abort", stop, { once: true });
      }
      return drain(reader, signal, stop);
    },
    close() {
      closed = true;
      for (const reader of readers) reader.wake();
    },
  };
}
