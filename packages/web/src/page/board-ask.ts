import {
  continued,
  type Figure,
  gridAt,
  gridLater,
  joined,
  type Lines,
  newSteps,
  parted,
  sorted,
  type Told,
} from "./board.ts";
import type { Line } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";

/** What a board shows: its figures over a length of time up to now, or between two moments. */
export interface Wanted {
  readonly figures: readonly Figure[];
  readonly lengthMs: number;
  readonly stepMs: number;
  /** Left out: up to now, and on from there. */
  readonly endMs?: number | undefined;
}

export interface BoardState {
  readonly grid: Grid;
  /** By the id of a figure; one that is not there yet is on its way. */
  readonly told: ReadonlyMap<string, Told>;
  /** When the newest answer came; undefined before the first. */
  readonly answeredMs?: number | undefined;
  /** What is new could not be asked for. */
  readonly failure?: { readonly thrown: unknown } | undefined;
}

export interface BoardNeeds {
  range(query: string, grid: Grid, signal: AbortSignal): Promise<readonly Line[]>;
  instant(query: string, atMs: number, signal: AbortSignal): Promise<readonly Line[]>;
  nowMs(): number;
}

/** All of it is asked for once, then, with each tick, what is new. */
export interface Board {
  show(wanted: Wanted): void;
  /** Samples up to this moment can be asked for. While an answer is on its way only the latest tick counts. */
  tick(atMs: number): void;
  /** All of it anew. */
  again(): void;
  read(): BoardState | undefined;
  listen(listener: () => void): () => void;
  close(): void;
}

export function makeBoard(needs: BoardNeeds): Board {
  const listeners = new Set<() => void>();
  let state: BoardState | undefined;
  let wanted: Wanted | undefined;
  let stop = new AbortController();
  /** The whole is on its way, or what is new. */
  let busy = false;
  let tickMs: number | undefined;

  function set(next: BoardState): void {
    state = next;
    for (const listener of listeners) listener();
  }

  async function load({ figures, lengthMs, stepMs, endMs }: Wanted): Promise<void> {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const grid = gridAt(lengthMs, stepMs, endMs ?? Math.max(needs.nowMs(), tickMs ?? 0));
    busy = true;
    tickMs = undefined;
    const same = state?.grid.stepMs === stepMs ? state : undefined;
    set({ ...same, grid, told: same ? keptLines(same, grid, figures) : new Map() });
    await Promise.all(figures.map((figure) => loadOne(figure, grid, signal)));
    if (signal.aborted) return;
    busy = false;
    void follow();
  }

  async function loadOne(figure: Figure, grid: Grid, signal: AbortSignal): Promise<void> {
    const told = await needs.range(figure.steps, grid, signal).then(
      (lines): Told => ({ lines: sorted(lines) }),
      (thrown: unknown): Told => ({ lines: state?.told.get(figure.id)?.lines ?? [], failure: { thrown } }),
    );
    if (signal.aborted || !state) return;
    const answered = told.failure ? {} : { answeredMs: needs.nowMs() };
    set({ ...state, ...answered, failure: undefined, told: new Map([...state.told, [figure.id, told]]) });
  }

  /** Asks for what came since, as long as there is something. */
  async function follow(): Promise<void> {
    if (busy || !wanted || !state || tickMs === undefined || wanted.endMs !== undefined) return;
    const { signal } = stop;
    const [atMs, before] = [tickMs, state.grid];
    tickMs = undefined;
    if (atMs < before.endMs) return;
    const after = gridLater(before, atMs);
    if (after.startMs > before.endMs) return void load(wanted);
    busy = true;
    try {
      const news = await askNews(wanted.figures, before, after, signal);
      if (signal.aborted) return;
      set({
        ...state,
        grid: after,
        answeredMs: needs.nowMs(),
        failure: undefined,
        told: toldAfter(news, before, after),
      });
    } catch (thrown) {
      if (signal.aborted) return;
      set({ ...state, failure: { thrown } });
    }
    busy = false;
    void follow();
  }

  async function askNews(figures: readonly Figure[], before: Grid, after: Grid, signal: AbortSignal) {
    const added = newSteps(before, after);
    const { tailMs } = after;
    const none: readonly Line[] = [];
    const [steps, now] = await Promise.all([
      added ? needs.range(joined(figures, "steps"), added, signal) : none,
      tailMs === undefined ? none : needs.instant(joined(figures, "now"), tailMs, signal),
    ]);
    return { steps: parted(steps), now: parted(now) };
  }

  function toldAfter(news: { readonly steps: Lines; readonly now: Lines }, before: Grid, after: Grid) {
    const all = wanted?.figures ?? [];
    return new Map(
      all.map(({ id }): [string, Told] => {
        const { lines = [], failure } = state?.told.get(id) ?? {};
        const own = { steps: news.steps.get(id) ?? [], now: news.now.get(id) ?? [] };
        return [id, { lines: continued(lines, before, after, own), ...(failure ? { failure } : {}) }];
      }),
    );
  }

  return {
    show(next) {
      wanted = next;
      void load(next);
    },
    tick(atMs) {
      tickMs = Math.max(tickMs ?? 0, atMs);
      void follow();
    },
    again() {
      if (wanted) void load(wanted);
    },
    read: () => state,
    listen(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    close() {
      wanted = undefined;
      stop.abort();
      listeners.clear();
    },
  };
}

/** Whether a tick tells of moments that are drawn already: what is asked for with the next one does not have them. */
export function isLate(state: BoardState | undefined, atMs: number): boolean {
  return state !== undefined && atMs >= state.grid.startMs && atMs < state.grid.endMs - 2 * state.grid.stepMs;
}

/** While a stretch of the same steps is on its way, what is known of it stands there already. */
function keptLines({ grid, told }: BoardState, next: Grid, figures: readonly Figure[]): ReadonlyMap<string, Told> {
  const kept = figures.flatMap(({ id }): [string, Told][] => {
    const known = told.get(id);
    if (!known) return [];
    return [[id, { ...known, lines: continued(known.lines, grid, next, { steps: [], now: [] }) }]];
  });
  return new Map(kept);
}
