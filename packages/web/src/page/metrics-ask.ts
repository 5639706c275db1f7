import type { Instant, Range } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";

/** One query at one time. */
export interface Ask {
  /** The letter of its row. */
  readonly id: string;
  readonly text: string;
  readonly kind: "range" | "instant";
  readonly grid: Grid;
  /** Another number asks anew. */
  readonly turn: number;
}

export interface Told {
  readonly answer: Range | Instant;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** What is known of a row. The last answer stays until the next one is there, so that nothing flickers. */
export interface Asked {
  readonly ask: Ask;
  readonly busy: boolean;
  readonly told?: Told;
  /** What it was told to, which may be an earlier question, and when. */
  readonly answered?: Ask;
  readonly atMs?: number;
  readonly failure?: { readonly thrown: unknown };
}

export interface AskerNeeds {
  tell(ask: Ask, signal: AbortSignal): Promise<Told>;
  nowMs(): number;
}

interface Running {
  readonly key: string;
  readonly stop: AbortController;
}

const keyOf = (ask: Ask) => JSON.stringify(ask);

/** Asks for what is wanted, once each; what is wanted no more is broken off. */
export function makeAsker({ tell, nowMs }: AskerNeeds) {
  const running = new Map<string, Running>();
  const listeners = new Set<() => void>();
  let state: ReadonlyMap<string, Asked> = new Map();

  function set(id: string, asked: Asked | undefined): void {
    const next = new Map(state);
    if (asked === undefined) next.delete(id);
    else next.set(id, asked);
    state = next;
    for (const listener of listeners) listener();
  }

  async function run(ask: Ask, stop: AbortController): Promise<void> {
    const before = state.get(ask.id);
    const old = keptOf(before, ask);
    set(ask.id, { ...old, ask, busy: true });
    try {
      const told = await tell(ask, stop.signal);
      if (!stop.signal.aborted) set(ask.id, { ask, busy: false, told, answered: ask, atMs: nowMs() });
    } catch (thrown) {
      if (stop.signal.aborted) return;
      const stays = isAway(thrown) && old.answered?.text === ask.text;
      set(ask.id, { ...(stays ? old : {}), ask, busy: false, failure: { thrown } });
    }
  }

  return {
    ask(asks: readonly Ask[]): void {
      const wanted = new Set(asks.map(({ id }) => id));
      for (const [id, { stop }] of running) {
        if (wanted.has(id)) continue;
        stop.abort();
        running.delete(id);
        set(id, undefined);
      }
      for (const one of asks) {
        const [key, before] = [keyOf(one), running.get(one.id)];
        if (before?.key === key) continue;
        before?.stop.abort();
        const stop = new AbortController();
        running.set(one.id, { key, stop });
        void run(one, stop);
      }
    },
    read: () => state,
    listen(listener: () => void): () => void {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    close(): void {
      for (const { stop } of running.values()) stop.abort();
      running.clear();
    },
  };
}

/** What another kind of question was told does not answer this one. */
function keptOf(before: Asked | undefined, ask: Ask): Partial<Asked> {
  return before?.told?.answer.kind === ask.kind || before?.told === undefined ? { ...before } : {};
}

/** A hub that is away makes an answer old; a query that fails has none. */
function isAway(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return code === "unreachable" || code === "timeout" || code === "limited";
}
