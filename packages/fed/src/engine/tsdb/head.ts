import { type Arena, addChunk, addLate, arenaOf, type Gathered, makeRoom, readChunks, slabSamples } from "./arena.ts";
import { wordsOf } from "./codec.ts";
import { mergeColumns } from "./merge.ts";
import { type SeriesPage, seriesPage, seriesPerPage } from "./series-page.ts";
import { tailOf } from "./tails.ts";

/**
 * The newest samples, in memory. Each series has a slab of a few samples; a full slab becomes a chunk of compressed columns in
 * the arena of its span of time. Slabs stand side by side in large arrays: 100,000 series would be as many small ones.
 */
export interface Head {
  readonly spanMs: number;
  /** What an arena grows by; usual when undefined. */
  readonly growthBytes: number | undefined;
  /** By a series' number. */
  readonly pages: Map<number, SeriesPage>;
  /** The page that was asked for last: rows of a batch are of series that lie side by side. */
  page: SeriesPage | undefined;
  pageNumber: number;
  /** Series with samples in memory. */
  count: number;
  /** Ascending by time. Replaced, never changed, so that a reader may hold it. */
  arenas: readonly Arena[];
  /** From the start of the span that a slab is of. */
  readonly slabTimes: Uint32Array<ArrayBuffer>[];
  readonly slabValues: Float64Array<ArrayBuffer>[];
  readonly slabWords: Uint32Array<ArrayBuffer>[];
  readonly freeSlabs: number[];
  slabs: number;
  samples: number;
}

const slabsPerPage = 512;

export function headOf(spanMs: number, growthBytes?: number): Head {
  return {
    spanMs,
    growthBytes,
    pages: new Map(),
    page: undefined,
    pageNumber: -1,
    count: 0,
    arenas: [],
    slabTimes: [],
    slabValues: [],
    slabWords: [],
    freeSlabs: [],
    slabs: 0,
    samples: 0,
  };
}

function pageOf(head: Head, id: number): SeriesPage | undefined {
  const number = Math.floor(id / seriesPerPage);
  if (number !== head.pageNumber) {
    head.page = head.pages.get(number);
    head.pageNumber = number;
  }
  return head.page;
}

export function hasSeries(head: Head, id: number): boolean {
  return tenantOf(head, id) >= 0;
}

/** The number of who brought it; -1 when the series is not here. */
export function tenantOf(head: Head, id: number): number {
  return (pageOf(head, id)?.tenant[id % seriesPerPage] ?? 0) - 1;
}

export function lastMsOf(head: Head, id: number): number {
  return hasSeries(head, id) ? ((pageOf(head, id) as SeriesPage).lastMs[id % seriesPerPage] as number) : -Infinity;
}

export function walFileOf(head: Head, id: number): number {
  return pageOf(head, id)?.walFile[id % seriesPerPage] ?? 0;
}

export function setWalFile(head: Head, id: number, file: number): void {
  const page = pageOf(head, id);
  if (page !== undefined) page.walFile[id % seriesPerPage] = file;
}

/** The numbers of the series; what is added or dropped meanwhile may come or not. */
export function* seriesIn(head: Head): Generator<number> {
  for (const [number, { tenant }] of head.pages) {
    for (let nth = 0; nth < seriesPerPage; nth++) if (tenant[nth] !== 0) yield number * seriesPerPage + nth;
  }
}

/** Once it has samples, it leaves by `dropSeries` or `dropBefore`. */
export function addSeries(head: Head, id: number, tenant: number): void {
  const number = Math.floor(id / seriesPerPage);
  const page = head.pages.get(number) ?? seriesPage();
  head.pages.set(number, page);
  head.pageNumber = -1;
  const nth = id % seriesPerPage;
  page.tenant[nth] = tenant + 1;
  page.lastMs[nth] = -Infinity;
  page.spanEndMs[nth] = -Infinity;
  page.slab[nth] = 0;
  page.used[nth] = 0;
  page.walFile[nth] = 0;
  page.count++;
  head.count++;
}

/** What became of a sample: `other value` means that its time has one already, which stays. */
export type Added = "added" | "same" | "other value";

/** `id` is of a series that is here. */
export function addSample(head: Head, id: number, timeMs: number, low: number, high: number): Added {
  const { lastMs, lastWords } = pageOf(head, id) as SeriesPage;
  const nth = id % seriesPerPage;
  if (timeMs < (lastMs[nth] as number)) {
    const there = readHead(head.arenas, head, id, timeMs, timeMs);
    if (there.count > 0) {
      const words = wordsOf(there.values);
      return words[0] === low && words[1] === high ? "same" : "other value";
    }
  } else if (timeMs === lastMs[nth]) {
    return low === lastWords[2 * nth] && high === lastWords[2 * nth + 1] ? "same" : "other value";
  }
  addAbsent(head, id, timeMs, low, high);
  return "added";
}

/** For who knows that the series has nothing at this time. */
export function addAbsent(head: Head, id: number, timeMs: number, low: number, high: number): void {
  const page = pageOf(head, id) as SeriesPage;
  const nth = id % seriesPerPage;
  head.samples++;
  if (timeMs < (page.lastMs[nth] as number)) {
    addLate(arenaAt(head, timeMs), id, timeMs, low, high);
    return;
  }
  const { used, spanEndMs, lastWords } = page;
  if (used[nth] === slabSamples || timeMs >= (spanEndMs[nth] as number)) startSlab(head, page, id, timeMs);
  const slab = (page.slab[nth] as number) - 1;
  const at = (slab % slabsPerPage) * slabSamples + (used[nth] as number);
  used[nth] = (used[nth] as number) + 1;
  const number = Math.floor(slab / slabsPerPage);
  const words = head.slabWords[number] as Uint32Array;
  (head.slabTimes[number] as Uint32Array)[at] = timeMs - ((spanEndMs[nth] as number) - head.spanMs);
  words[2 * at] = low;
  words[2 * at + 1] = high;
  page.lastMs[nth] = timeMs;
  lastWords[2 * nth] = low;
  lastWords[2 * nth + 1] = high;
}

function startSlab(head: Head, page: SeriesPage, id: number, timeMs: number): void {
  flushSlab(head, page, id);
  const nth = id % seriesPerPage;
  page.spanEndMs[nth] = arenaAt(head, timeMs).endMs;
  page.slab[nth] = (head.freeSlabs.pop() ?? head.slabs++) + 1;
  if (head.slabs <= head.slabTimes.length * slabsPerPage) return;
  const values = new Float64Array(slabsPerPage * slabSamples);
  head.slabTimes.push(new Uint32Array(slabsPerPage * slabSamples));
  head.slabValues.push(values);
  head.slabWords.push(wordsOf(values) as Uint32Array<ArrayBuffer>);
}

/** Moves what the slab holds into the arena, and gives the slab back. */
function flushSlab(head: Head, page: SeriesPage, id: number): void {
  const nth = id % seriesPerPage;
  const slab = page.slab[nth] as number;
  if (slab === 0) return;
  const { times, values } = slabOf(head, page, nth);
  if (times.length > 0) addChunk(arenaAt(head, times[0] as number), id, times, values);
  head.freeSlabs.push(slab - 1);
  page.slab[nth] = 0;
  page.used[nth] = 0;
  page.spanEndMs[nth] = -Infinity;
}

interface Slab {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

function slabOf(head: Head, page: SeriesPage, nth: number): Slab {
  const slab = (page.slab[nth] as number) - 1;
  const number = Math.floor(slab / slabsPerPage);
  const at = (slab % slabsPerPage) * slabSamples;
  const startMs = (page.spanEndMs[nth] as number) - head.spanMs;
  const offsets = head.slabTimes[number] as Uint32Array;
  const times = new Float64Array(page.used[nth] as number);
  for (let i = 0; i < times.length; i++) times[i] = startMs + (offsets[at + i] as number);
  return { times, values: (head.slabValues[number] as Float64Array).subarray(at, at + times.length) };
}

/** The samples of a series that wait uncompressed; undefined when none do. */
export function waitingOf(head: Head, id: number): Slab | undefined {
  const page = pageOf(head, id);
  const nth = id % seriesPerPage;
  return page === undefined || page.used[nth] === 0 ? undefined : slabOf(head, page, nth);
}

function arenaAt(head: Head, timeMs: number): Arena {
  for (let i = head.arenas.length - 1; i >= 0; i--) {
    const arena = head.arenas[i] as Arena;
    if (arena.startMs <= timeMs && timeMs < arena.endMs) return arena;
  }
  const startMs = Math.floor(timeMs / head.spanMs) * head.spanMs;
  const made = arenaOf(startMs, startMs + head.spanMs, head.growthBytes);
  head.arenas = [...head.arenas, made].sort((a, b) => a.startMs - b.startMs);
  return made;
}

/**
 * A series' samples from `startMs` to `endMs`, both included, in the arenas that the reader holds and in its slab. Made for
 * the asker.
 */
export function readHead(arenas: readonly Arena[], head: Head, id: number, startMs: number, endMs: number): Gathered {
  const found: Gathered = { times: new Float64Array(0), values: new Float64Array(0), count: 0 };
  for (const arena of arenas) {
    if (arena.endMs <= startMs || arena.startMs > endMs) continue;
    readChunks(arena, id, startMs, endMs, found);
  }
  const waiting = waitingOf(head, id);
  if (waiting !== undefined) {
    const { times, values } = waiting;
    makeRoom(found, times.length);
    found.times.set(times, found.count);
    wordsOf(found.values).set(wordsOf(values), 2 * found.count);
    found.count += times.length;
  }
  const late = arenas.flatMap((arena) => arena.late.get(id) ?? []);
  return mergeColumns([found, ...late], startMs, endMs);
}

/** Moves what slabs hold of times before `beforeMs` into arenas, so that a reader who holds these sees all of it. */
export function flushBefore(head: Head, beforeMs: number): void {
  for (const [number, page] of head.pages) {
    for (let nth = 0; nth < seriesPerPage; nth++) {
      const isBefore = page.slab[nth] !== 0 && (page.spanEndMs[nth] as number) <= beforeMs;
      if (isBefore) flushSlab(head, page, number * seriesPerPage + nth);
    }
  }
}

/**
 * Forgets the samples before `beforeMs`, the end of a span, after `flushBefore`. Returns the series that have none left; they are
 * forgotten too.
 */
export function dropBefore(head: Head, beforeMs: number): readonly Dropped[] {
  const gone = head.arenas.filter(({ endMs }) => endMs <= beforeMs);
  head.arenas = head.arenas.filter(({ endMs }) => endMs > beforeMs);
  for (const arena of gone) head.samples -= countSamples(arena);
  const idle: Dropped[] = [];
  for (const id of seriesIn(head)) {
    const hasSamples =
      waitingOf(head, id) !== undefined ||
      head.arenas.some(({ tails, late }) => tailOf(tails, id) >= 0 || late.has(id));
    if (!hasSamples) idle.push(dropSeries(head, id));
  }
  return idle;
}

/** A series that has left, and who had brought it. */
export interface Dropped {
  readonly id: number;
  readonly tenant: number;
}

/** `id` is of a series that is here. What arenas have of it stays. */
export function dropSeries(head: Head, id: number): Dropped {
  const page = pageOf(head, id) as SeriesPage;
  const nth = id % seriesPerPage;
  const slab = page.slab[nth] as number;
  if (slab > 0) head.freeSlabs.push(slab - 1);
  const tenant = tenantOf(head, id);
  page.slab[nth] = 0;
  page.used[nth] = 0;
  page.tenant[nth] = 0;
  page.lastMs[nth] = -Infinity;
  head.count--;
  if (--page.count === 0) {
    head.pages.delete(Math.floor(id / seriesPerPage));
    head.pageNumber = -1;
  }
  return { id, tenant };
}

function countSamples(arena: Arena): number {
  let count = 0;
  for (const late of arena.late.values()) count += late.count;
  return count + arena.samples;
}
