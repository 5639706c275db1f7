import { rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import type { Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import { dropChunks } from "./arena.ts";
import { type BlockFile, writeBlock } from "./block.ts";
import { wordsOf } from "./codec.ts";
import { addSample, addSeries, dropBefore, dropSeries, flushBefore, hasSeries, readHead, seriesIn } from "./head.ts";
import { mergeColumns } from "./merge.ts";
import { inOrder, labelsOfId, select } from "./postings.ts";
import { readWhole } from "./reader.ts";
import { checkPage, enter, leave, load, remove, type ShelfBlock, shelfBlock } from "./shelf.ts";
import { forget, type Memory, type Store } from "./store.ts";
import { fileOfDay } from "./tier.ts";

/** Layers over a day that cannot be one block: beyond, they become one layer. */
const mostWaitingLayers = 8;

export const blockFolder = (store: Store) => join(store.folder, "block");

/** Writes blocks of the spans that take no more samples, and forgets them in memory and in the log. */
export async function seal(store: Store): Promise<void> {
  const floorMs = store.floorMs;
  if (floorMs <= store.sealedMs) return;
  flushBefore(store.head, floorMs);
  for (const [startMs, endMs] of spansToSeal(store, floorMs)) {
    const file = await writeBlock(blockFolder(store), startMs, endMs, headSeries(store, store, startMs, endMs));
    if (file !== undefined) {
      const block = shelfBlock(file);
      await load(store.shelf, block);
      place(store, block, []);
    }
    store.sealedMs = endMs;
    for (const series of dropBefore(store.head, endMs)) forget(store, series);
  }
  store.sealedMs = floorMs;
  await store.wal.sealed(floorMs);
}

/** Spans with samples, whole days together: samples from long ago, brought in at once, become days at once. */
function spansToSeal(store: Store, floorMs: number): [startMs: number, endMs: number][] {
  const spans: [number, number][] = [];
  for (const arena of store.head.arenas) {
    if (arena.endMs > floorMs) continue;
    const dayMs = Math.floor(arena.startMs / store.daySpanMs) * store.daySpanMs;
    const wholeDay =
      dayMs + store.daySpanMs <= floorMs &&
      !store.blocks.some(({ file }) => file.startMs < dayMs + store.daySpanMs && file.endMs > dayMs);
    // What was sealed with another length of spans stays out of it.
    const fromMs = Math.max(arena.startMs, store.sealedMs);
    const [startMs, endMs] = wholeDay ? [dayMs, dayMs + store.daySpanMs] : [fromMs, arena.endMs];
    const last = spans.at(-1);
    if (startMs < endMs && (last === undefined || last[1] <= startMs)) spans.push([startMs, endMs]);
  }
  return spans;
}

/** What a head has of the span, in the order that a block wants. */
export async function* headSeries(
  { head, postings }: Memory,
  { clock }: Store,
  startMs: number,
  endMs: number,
): AsyncGenerator<Series> {
  const { arenas } = head;
  let since = clock.tickMs();
  for (const id of inOrder(postings, seriesIn(head))) {
    const { times, values, count } = readHead(arenas, head, id, startMs, endMs - 1);
    if (count > 0) yield { labels: labelsOfId(postings, id), times, values };
    if (clock.tickMs() - since < 5) continue;
    await breathe();
    since = clock.tickMs();
  }
}

/** Puts a block onto the shelf in place of others, whose files are removed. */
export function place(store: Store, block: ShelfBlock | undefined, instead: readonly ShelfBlock[]): void {
  const kept = store.blocks.filter((one) => !instead.includes(one));
  store.blocks = (block ? [...kept, block] : kept).sort((a, b) => a.file.startMs - b.file.startMs);
  for (const old of instead) {
    if (old.file.path !== block?.file.path) rmSync(old.file.path, { force: true });
    remove(store.shelf, old);
  }
}

/**
 * Removes blocks that are older than the store keeps, and the oldest beyond its size. One that is only too old waits for its
 * summaries.
 */
export async function retain(store: Store): Promise<void> {
  const oldestMs = store.clock.nowMs() - store.retainMs;
  let sizeBytes = store.blocks.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  for (const block of store.blocks) {
    const isOld = block.file.endMs <= oldestMs && isSummarised(store, block.file.startMs);
    if (!isOld && sizeBytes <= store.retainBytes) continue;
    sizeBytes -= block.file.sizeBytes;
    place(store, undefined, [block]);
  }
}

function isSummarised({ tiers, daySpanMs, clock }: Store, timeMs: number): boolean {
  const dayMs = Math.floor(timeMs / daySpanMs) * daySpanMs;
  return tiers.every(
    (tier) =>
      !tier.built ||
      fileOfDay(tier, dayMs, daySpanMs) !== undefined ||
      dayMs + daySpanMs <= clock.nowMs() - tier.retainMs,
  );
}

/**
 * Makes one block of a whole day's blocks. A damaged one stays as it is: what can be read of it is read from it. A day with
 * a few layers over its blocks, no more than `mostLayers`, may wait.
 */
export async function compact(store: Store, mostLayers = 0): Promise<void> {
  const days = new Map<number, ShelfBlock[]>();
  for (const block of store.blocks) {
    const dayMs = Math.floor(block.file.startMs / store.daySpanMs) * store.daySpanMs;
    days.set(dayMs, [...(days.get(dayMs) ?? []), block]);
  }
  for (const [dayMs, blocks] of days) {
    const endMs = dayMs + store.daySpanMs;
    const layers = blocks.filter(({ file }) => file.layer > 0);
    if (layers.length > 0 && layers.length <= mostLayers) continue;
    const whole = blocks.length === 1 && blocks[0]?.file.endMs === endMs && blocks[0].file.startMs === dayMs;
    const longer = blocks.some(({ file }) => file.endMs > endMs);
    if (whole) continue;
    if (endMs <= store.sealedMs && !longer && !blocks.some(({ damaged }) => damaged)) {
      await rewrite(store, blocks, { startMs: dayMs, endMs, layer: 0 }, (series) => series, "keep damaged");
    } else if (layers.length > mostWaitingLayers) await joinLayers(store, layers);
  }
}

/** Also of a day that cannot be one block yet. */
async function joinLayers(store: Store, layers: readonly ShelfBlock[]): Promise<void> {
  const startMs = Math.min(...layers.map(({ file }) => file.startMs));
  const endMs = Math.max(...layers.map(({ file }) => file.endMs));
  await rewrite(store, layers, { startMs, endMs, layer: nextLayer(store) }, (series) => series, "keep damaged");
}

/** Above all that there are, so that no file is written over. */
export function nextLayer({ blocks }: Store): number {
  return 1 + Math.max(0, ...blocks.map(({ file }) => file.layer));
}

export function* idsOf(blocks: readonly ShelfBlock[]): Generator<number> {
  for (const { index } of blocks) if (index !== undefined) yield* index.ids;
}

type Change = (series: Series, id: number) => Series | undefined;

/** `keep damaged`: when a block turns out to be, all stay as they are. */
async function rewrite(
  store: Store,
  blocks: readonly ShelfBlock[],
  { startMs, endMs, layer }: Pick<BlockFile, "startMs" | "endMs" | "layer">,
  change: Change,
  how: "keep damaged" | "drop damaged",
): Promise<void> {
  for (const block of blocks) await load(store.shelf, block);
  const unsound = () => how === "keep damaged" && blocks.some(({ damaged }) => damaged);
  if (unsound()) return;
  const file = await writeBlock(
    blockFolder(store),
    startMs,
    endMs,
    blockSeries(store, blocks, change),
    () => !unsound(),
    layer,
  );
  if (unsound()) return;
  const block = file && shelfBlock(file);
  if (block) await load(store.shelf, block);
  place(store, block, blocks);
}

/** The series of blocks, each as one, in the order that a block wants. */
export async function* blockSeries(
  store: Store,
  blocks: readonly ShelfBlock[],
  change: Change,
): AsyncGenerator<Series> {
  for (const id of inOrder(store.postings, idsOf(blocks))) {
    const labels = labelsOfId(store.postings, id);
    const parts = [];
    for (const block of blocks) {
      for (const part of await readWhole(store, block, id)) parts.push({ ...part, count: part.times.length });
    }
    const { times, values } = mergeColumns(parts, -Infinity, Infinity);
    const changed = change({ labels, times, values }, id);
    if (changed !== undefined && changed.times.length > 0) yield changed;
  }
}

type Removal = Pick<Selection, "matchers" | "startMs" | "endMs">;

export async function removeSelection(store: Store, removal: Removal): Promise<void> {
  const { startMs, endMs } = removal;
  const touched = store.blocks.filter(({ file }) => file.startMs <= endMs && file.endMs > startMs);
  for (const block of touched) await load(store.shelf, block);
  const ids = new Set(select(store.postings, removal.matchers));
  removeInHead(store, removal);
  store.wal.addDelete({ kind: "delete", ...removal });
  await store.wal.commit();
  const change: Change = (series, id) => (ids.has(id) ? without(series, startMs, endMs) : series);
  for (const block of touched) {
    if (!block.index?.ids.some((id) => ids.has(id))) continue;
    await rewrite(store, [block], block.file, change, "drop damaged");
  }
}

/** In memory alone: all that is needed when the log is read again, because a removal is acknowledged after the blocks' rewriting. */
export function removeInHead(store: Store, { matchers, startMs, endMs }: Removal): void {
  for (const id of select(store.postings, matchers)) {
    if (hasSeries(store.head, id)) removeFromHead(store, id, startMs, endMs);
  }
}

function without<S extends Pick<Series, "times" | "values">>(series: S, startMs: number, endMs: number): S {
  const before = mergeColumns([{ ...series, count: series.times.length }], -Infinity, startMs - 1);
  const after = mergeColumns([{ ...series, count: series.times.length }], endMs + 1, Infinity);
  return { ...series, ...mergeColumns([before, after], -Infinity, Infinity) };
}

function removeFromHead(store: Store, id: number, startMs: number, endMs: number): void {
  const { head } = store;
  const samples = readHead(head.arenas, head, id, -Infinity, Infinity);
  const removed = mergeColumns([samples], startMs, endMs).count;
  if (removed === 0) return;
  const kept = without(samples, startMs, endMs);
  const dropped = dropSeries(head, id);
  // Readers that hold the arenas may miss what is moved; they asked for what is being removed.
  for (const arena of head.arenas) dropChunks(arena, id);
  head.samples -= samples.count;
  if (kept.times.length === 0) {
    forget(store, dropped);
    return;
  }
  addSeries(head, id, dropped.tenant);
  const words = wordsOf(kept.values);
  for (const [row, time] of kept.times.entries()) {
    addSample(head, id, time, words[2 * row] as number, words[2 * row + 1] as number);
  }
}

/** Reads every page of every block and of every tier once; what is damaged is noted. */
export async function verify(store: Store): Promise<void> {
  for (const block of [...store.blocks, ...store.tiers.flatMap(({ files }) => files)]) {
    enter(block);
    try {
      const { pages } = await load(store.shelf, block);
      for (let number = 0; number < pages.length; number++) await checkPage(store.shelf, block, number);
    } finally {
      leave(store.shelf, block);
    }
  }
}
