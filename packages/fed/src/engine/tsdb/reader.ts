import { setImmediate as breathe } from "node:timers/promises";
import { type Labels, labelsKey } from "../series/labels.ts";
import type { Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import type { Arena } from "./arena.ts";
import { hasSeries, readHead } from "./head.ts";
import { tooMany } from "./limit.ts";
import { mergeColumns } from "./merge.ts";
import { labelsOfId, select } from "./postings.ts";
import { enter, leave, load, pageOf, placesOf, type ShelfBlock } from "./shelf.ts";
import type { Store } from "./store.ts";
import { type Plan, planOf, type Segment } from "./tier-plan.ts";
import { readPlanned } from "./tier-read.ts";

/** So many samples are handed over at a time, about. */
const batchSamples = 200_000;
/** After so long the thread is given back for a moment. */
const longestMs = 5;

interface FoundSeries {
  readonly id: number;
  readonly labels: Labels;
  /** Whether it has samples in memory. */
  readonly head: boolean;
  readonly staged: boolean;
}

/** What a query reads, as it was when it began: sealing and retention go on meanwhile. */
interface Found {
  readonly series: readonly FoundSeries[];
  readonly plan: Plan;
  /** Of the samples that the plan wants. */
  readonly blocks: readonly ShelfBlock[];
  /** Of summaries. */
  readonly files: readonly ShelfBlock[];
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
      const series = await readSeries(store, found, one, selection);
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
    for (const block of [...found.blocks, ...found.files]) leave(store.shelf, block);
  }
}

/** Calls for each series that has a sample in the span. */
export async function findSeries(
  store: Store,
  selection: Selection,
  signal: AbortSignal,
  visit: (id: number) => void,
): Promise<void> {
  const found = await find(store, { ...selection, hint: selection.hint ?? { stepMs: 0, rangeMs: 0 } }, signal);
  try {
    for (const one of found.series) {
      if (await hasSample(store, found, one, selection)) visit(one.id);
      signal.throwIfAborted();
    }
  } finally {
    for (const block of [...found.blocks, ...found.files]) leave(store.shelf, block);
  }
}

async function hasSample(store: Store, found: Found, one: FoundSeries, selection: Selection): Promise<boolean> {
  const { startMs, endMs } = found;
  // A file that lies in the span wholly says by its index that the series is in the span.
  for (const block of [...found.blocks, ...found.files]) {
    const inside = startMs <= block.file.startMs && block.file.endMs <= endMs;
    if (inside && !block.damaged && placesOf(block, one.id).length > 0) return true;
  }
  return (await readSeries(store, found, one, selection)).times.length > 0;
}

/** What a selection reads of the disk, as it is at this moment. */
function filesFor(store: Store, selection: Selection): Pick<Found, "plan" | "blocks" | "files"> {
  const plan = planOf(store, selection);
  const samples = plan.segments.filter(({ file }) => file === undefined);
  const blocks = store.blocks.filter(({ file }) =>
    samples.some(({ startMs, endMs }) => file.startMs <= endMs && file.endMs > startMs),
  );
  return { plan, blocks, files: [...new Set(plan.segments.flatMap(({ file }) => file ?? []))] };
}

async function find(store: Store, selection: Selection, signal: AbortSignal): Promise<Found> {
  signal.throwIfAborted();
  for (;;) {
    const { blocks, files } = filesFor(store, selection);
    const missing = [...blocks, ...files].filter(({ index }) => index === undefined);
    if (missing.length === 0) break;
    for (const block of missing) await load(store.shelf, block);
    signal.throwIfAborted();
  }
  // From here to the return nothing waits: what is found belongs together.
  const { plan, blocks, files } = filesFor(store, selection);
  const [startMs, endMs] = [plan.segments[0]?.startMs ?? selection.startMs, selection.endMs];
  const ids = plan.segments.length > 0 ? select(store.postings, selection.matchers) : [];
  const all = [...blocks, ...files];
  const series = [];
  for (const id of ids) {
    const [head, staged] = [hasSeries(store.head, id), hasSeries(store.stage.head, id)];
    if (!head && !staged && !all.some((block) => placesOf(block, id).length > 0)) continue;
    const labels = labelsOfId(store.postings, id);
    series.push({ id, labels, head, staged, key: labelsKey(labels) });
  }
  const most = Math.min(store.limits.seriesPerQuery, selection.mostSeries ?? Infinity);
  if (series.length > most) throw tooMany("series", most);
  series.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const block of all) enter(block);
  return { series, plan, blocks, files, arenas: store.head.arenas, staged: store.stage.head.arenas, startMs, endMs };
}

async function readSeries(store: Store, found: Found, one: FoundSeries, { hint }: Selection): Promise<Series> {
  const columns = hint?.summary?.columns ?? ["last"];
  return await readPlanned(store.shelf, found.plan, columns, one, (segment) => readSamples(store, found, one, segment));
}

async function readSamples(
  store: Store,
  { blocks, arenas, staged: stagedArenas }: Found,
  { id, head, staged }: FoundSeries,
  { startMs, endMs }: Segment,
): Promise<Pick<Series, "times" | "values">> {
  const parts = [];
  for (const block of blocks) {
    if (block.file.startMs > endMs || block.file.endMs <= startMs) continue;
    for (const place of placesOf(block, id)) {
      const page = await pageOf(store.shelf, block, place);
      if (page === undefined) continue;
      const { times, values } = page.read(place % 128);
      parts.push({ times, values, count: times.length });
    }
  }
  if (head) parts.push(readHead(arenas, store.head, id, startMs, endMs));
  if (staged) parts.push(readHead(stagedArenas, store.stage.head, id, startMs, endMs));
  return mergeColumns(parts, startMs, endMs);
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
