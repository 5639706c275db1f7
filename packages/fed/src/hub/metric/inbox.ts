/** An answer on its way from another thread: the pieces that have come, and how it ended. */
export interface Inbox {
  readonly pieces: Uint8Array[];
  /** Nothing comes any more. */
  done: boolean;
  /** Why there is no answer, or no more of it; undefined while all is well. */
  failed: unknown;
  /** Settles with the next piece, and with the end. */
  news: PromiseWithResolvers<void>;
}

export function openInbox(): Inbox {
  return { pieces: [], done: false, failed: undefined, news: Promise.withResolvers() };
}

/** Wakes whoever waits. */
export function tell(inbox: Inbox): void {
  inbox.news.resolve();
  inbox.news = Promise.withResolvers();
}

/** The pieces in their order. `taken` is called for each, `left` once when nobody reads on, also at the end. */
export async function* readInbox(inbox: Inbox, taken: () => void, left: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      while (inbox.pieces.length === 0 && !inbox.done && inbox.failed === undefined) await inbox.news.promise;
      if (inbox.failed !== undefined) throw inbox.failed;
      const piece = inbox.pieces.shift();
      if (piece === undefined) return;
      taken();
      yield piece;
    }
  } finally {
    left();
  }
}
