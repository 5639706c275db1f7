import { setImmediate as breathe } from "node:timers/promises";
import { type Labels, labelsKey } from "../series/labels.ts";
import type { Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import type { Arena } from "./arena.ts";
import { type HeadSeries, readHead } from "./head.ts";
import { tooMany } from "./limit.ts";
import { mergeColumns } from "./merge.ts";
import { labelsOfId, select } from "./postings.ts";
import { enter, leave, load, pageOf, placesOf, type ShelfBlock } from "./shelf.ts";
import type { Store } from "./store.ts";

/** So many samples are handed over at a time, about. */
const batchSamples = 200_000;
/** After so long the thread is given back for a moment. */
const longestMs = 5;

interface FoundSeries {
  readonly id: number;
  readonly labels: Labels;
  readonly head: HeadSeries | undefined;
  readonly staged: HeadSeries | undefined;
}

/** What a query reads, as it was when it began: sealing and retention go on meanwhile. */
interface Found {
  readonly series: readonly FoundSeries[];
  readonly blocks: readonly ShelfBlock[];
  readonly arenas: readonly Arena[];
  /** Of the stage. */
  readonly staged: readonly Arena[];
  readonly startMs: number;
  readonly endMs: number;
}

export async function* readSelection(
  store: Store,
  selection: Selection,
  signal: AbortSignal,
): AsyncGenerator<readonly Series[]> {
  const found = await find(store, selection, signal);
  try {
    let [batch, batched, all, since]: [Series[], number, number, number] = [[], 0, 0, store.clock.tickMs()];
    for (const one of found.series) {
      if (store.clock.tickMs() - since > longestMs) {
        await breathe();
        signal.throwIfAborted();
        since = store.clock.tickMs();
      }
      const series = await readSeries(store, found, one);
      if (series.times.length === 0) continue;
      batched += series.times.length;
      all += series.times.length;
      if (all > store.limits.samplesPerQuery) throw tooMany("samples", store.limits.samplesPerQuery);
      batch.push(series);
      if (batched < batchSamples) continue;
      yield batch;
      signal.throwIfAborted();
      [batch, batched, since] = [[], 0, store.clock.tickMs()];
    }
    if (batch.length > 0) yield batch;
  } finally {
    for (const block of found.blocks) leave(store.shelf, block);
  }
}

/** Calls for each series that has a sample in the span. */
export async function findSeries(
  store: Store,
  selection: Selection,
  signal: AbortSignal,
  visit: (id: number) => void,
): Promise<void> {
  const found = await find(store, selection, signal);
  try {
    for (const one of found.series) {
      if (await hasSample(store, found, one)) visit(one.id);
      signal.throwIfAborted();
    }
  } finally {
    for (const block of found.blocks) leave(store.shelf, block);
  }
}

async function hasSample(store: Store, found: Found, one: FoundSeries): Promise<boolean> {
  const { startMs, endMs } = found;
  // A block that lies in the span wholly says by its index that the series is in the span.
  for (const block of found.blocks) {
    const inside = startMs <= block.file.startMs && block.file.endMs <= endMs;
    if (inside && !block.damaged && placesOf(block, one.id).length > 0) return true;
  }
  return (await readSeries(store, found, one)).times.length > 0;
}

async function find(store: Store, selection: Selection, signal: AbortSignal): Promise<Found> {
  signal.throwIfAborted();
  const startMs = Math.max(selection.startMs, store.clock.nowMs() - store.retainMs);
  const { endMs } = selection;
  const overlapping = () => store.blocks.filter(({ file }) => file.startMs <= endMs && file.endMs > startMs);
  for (;;) {
    const missing = overlapping().filter(({ index }) => index === undefined);
    if (missing.length === 0) break;
    for (const block of missing) await load(store.shelf, block);
    signal.throwIfAborted();
  }
  // From here to the return nothing waits: what is found belongs together.
  const ids = startMs <= endMs ? select(store.postings, selection.matchers) : [];
  const blocks = overlapping();
  const series = [];
  for (const id of ids) {
    const head = store.head.series.get(id);
    const staged = store.stage.head.series.get(id);
    if (head === undefined && staged === undefined && !blocks.some((block) => placesOf(block, id).length > 0)) continue;
    const labels = labelsOfId(store.postings, id);
    series.push({ id, labels, head, staged, key: labelsKey(labels) });
  }
  if (series.length > store.limits.seriesPerQuery) throw tooMany("series", store.limits.seriesPerQuery);
  series.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const block of blocks) enter(block);
  return { series, blocks, arenas: store.head.arenas, staged: store.stage.head.arenas, startMs, endMs };
}

async function readSeries(store: Store, found: Found, { id, labels, head, staged }: FoundSeries): Promise<Series> {
  const { blocks, arenas, startMs, endMs } = found;
  const parts = [];
  for (const block of blocks) {
    for (const place of placesOf(block, id)) {
      const page = await pageOf(store.shelf, block, place);
      if (page === undefined) continue;
      const { times, values } = page.read(place % 128);
      parts.push({ times, values, count: times.length });
    }
  }
  if (head !== undefined) parts.push(readHead(arenas, store.head, head, startMs, endMs));
  if (staged !== undefined) parts.push(readHead(found.staged, store.stage.head, staged, startMs, endMs));
  const { times, values } = mergeColumns(parts, startMs, endMs);
  return { labels, times, values };
}

/** A series of a block, whole. Damaged pages are passed over, and the block is known to be damaged then. */
export async function readWhole(store: Store, block: ShelfBlock, id: number): Promise<readonly Series[]> {
  const parts: Series[] = [];
  for (const place of placesOf(block, id)) {
    const page = await pageOf(store.shelf, block, place);
    if (page !== undefined) parts.push(page.read(place % 128));
  }
  return parts;
}
