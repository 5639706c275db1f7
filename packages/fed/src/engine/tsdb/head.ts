import {
  type Arena,
  addChunk,
  addLate,
  addTimes,
  arenaOf,
  type Gathered,
  makeRoom,
  readChunks,
  slabSamples,
} from "./arena.ts";
import { wordsOf } from "./codec.ts";
import { mergeColumns } from "./merge.ts";
import { type SeriesPage, seriesPage, seriesPerPage } from "./series-page.ts";
import { tailOf } from "./tails.ts";
import { addTime, beginTimes, leaveTimes, type TimeSlabs, timeSlabsOf, timesIn } from "./time-slab.ts";

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
  readonly times: TimeSlabs;
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
    times: timeSlabsOf(),
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
  page.times[nth] = 0;
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
  const { used, times, lastWords } = page;
  const endMs = used[nth] === 0 ? -Infinity : (head.times.spanEndMs[(times[nth] as number) - 1] as number);
  if (used[nth] === slabSamples || timeMs >= endMs) beginSlab(head, page, id, timeMs);
  else {
    const offset = timeMs - (endMs - head.spanMs);
    times[nth] = addTime(head.times, (times[nth] as number) - 1, used[nth] as number, offset) + 1;
    if (page.slab[nth] !== 0 || low !== lastWords[2 * nth] || high !== lastWords[2 * nth + 1]) {
      putValue(head, page, nth, low, high);
    }
  }
  used[nth] = (used[nth] as number) + 1;
  page.lastMs[nth] = timeMs;
  lastWords[2 * nth] = low;
  lastWords[2 * nth + 1] = high;
}

/** For a first sample. */
function beginSlab(head: Head, page: SeriesPage, id: number, timeMs: number): void {
  flushSlab(head, page, id);
  const { endMs } = arenaAt(head, timeMs);
  page.times[id % seriesPerPage] = beginTimes(head.times, endMs, timeMs - (endMs - head.spanMs)) + 1;
}

/** Puts the value behind those that wait. */
function putValue(head: Head, page: SeriesPage, nth: number, low: number, high: number): void {
  const used = page.used[nth] as number;
  const isFirst = page.slab[nth] === 0;
  if (isFirst) page.slab[nth] = takeSlab(head) + 1;
  const slab = (page.slab[nth] as number) - 1;
  const words = head.slabWords[Math.floor(slab / slabsPerPage)] as Uint32Array;
  const start = 2 * (slab % slabsPerPage) * slabSamples;
  if (isFirst) fillWords(words, page, nth, start, used);
  words[start + 2 * used] = low;
  words[start + 2 * used + 1] = high;
}

function takeSlab(head: Head): number {
  const slab = head.freeSlabs.pop() ?? head.slabs++;
  if (head.slabs > head.slabValues.length * slabsPerPage) {
    const values = new Float64Array(slabsPerPage * slabSamples);
    head.slabValues.push(values);
    head.slabWords.push(wordsOf(values) as Uint32Array<ArrayBuffer>);
  }
  return slab;
}

/** With the newest value, so many times. */
function fillWords(words: Uint32Array, { lastWords }: SeriesPage, nth: number, start: number, count: number): void {
  for (let i = start; i < start + 2 * count; i += 2) {
    words[i] = lastWords[2 * nth] as number;
    words[i + 1] = lastWords[2 * nth + 1] as number;
  }
}

/** Moves what waits into the arena, and gives the slabs back. */
function flushSlab(head: Head, page: SeriesPage, id: number): void {
  const nth = id % seriesPerPage;
  const [used, slab] = [page.used[nth] as number, (page.times[nth] as number) - 1];
  if (used === 0) return;
  const { times } = head;
  const arena = arenaAt(head, (times.spanEndMs[slab] as number) - 1);
  if (times.codedCount[slab] !== used) {
    times.coded[slab] = addTimes(arena, timesIn(times, slab, used, head.spanMs));
    times.codedCount[slab] = used;
  }
  addChunk(arena, id, times.coded[slab] as number, valuesOf(head, page, nth));
  giveBack(head, page, nth);
}

function giveBack(head: Head, page: SeriesPage, nth: number): void {
  if (page.slab[nth] !== 0) head.freeSlabs.push((page.slab[nth] as number) - 1);
  if (page.times[nth] !== 0) leaveTimes(head.times, (page.times[nth] as number) - 1);
  page.slab[nth] = 0;
  page.times[nth] = 0;
  page.used[nth] = 0;
}

function valuesOf(head: Head, page: SeriesPage, nth: number): Float64Array {
  const used = page.used[nth] as number;
  const slab = (page.slab[nth] as number) - 1;
  if (slab < 0) {
    const values = new Float64Array(used);
    fillWords(wordsOf(values), page, nth, 0, used);
    return values;
  }
  const at = (slab % slabsPerPage) * slabSamples;
  return (head.slabValues[Math.floor(slab / slabsPerPage)] as Float64Array).subarray(at, at + used);
}

interface Slab {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** The samples of a series that wait uncompressed; undefined when none do. */
export function waitingOf(head: Head, id: number): Slab | undefined {
  const page = pageOf(head, id);
  const nth = id % seriesPerPage;
  if (page === undefined || page.used[nth] === 0) return undefined;
  const times = timesIn(head.times, (page.times[nth] as number) - 1, page.used[nth] as number, head.spanMs);
  return { times, values: valuesOf(head, page, nth) };
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
      if (page.used[nth] === 0) continue;
      const endMs = head.times.spanEndMs[(page.times[nth] as number) - 1] as number;
      if (endMs <= beforeMs) flushSlab(head, page, number * seriesPerPage + nth);
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
  const tenant = tenantOf(head, id);
  giveBack(head, page, nth);
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
