import { rmSync, writeFileSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import type { Selection } from "../series/queryable.ts";
import { type SummaryColumn, summaryColumns } from "../series/series.ts";
import { syncFolder } from "./file.ts";
import { blockSeries, idsOf } from "./maintain.ts";
import { inOrder, labelsOfId, select } from "./postings.ts";
import { load, remove, type ShelfBlock, shelfBlock } from "./shelf.ts";
import type { Store } from "./store.ts";
import { fileOfDay, lengthOf, stalePath, type Tier } from "./tier.ts";
import { readAll, type SummarySeries, writeSummaries } from "./tier-file.ts";
import { hasBlocks } from "./tier-plan.ts";
import { indexAt } from "./tier-read.ts";
import { type Summaries, summarise } from "./tier-summary.ts";

/** So many files become one, also of a stretch that is not complete yet. */
const mostLoose = 8;
/** So many days of a tier at one maintenance: a store that gets tiers late must close within seconds meanwhile. */
const mostDays = 10;
/** After so long the thread is given back for a moment. */
const longestMs = 5;

/** Makes the summaries of days that are complete and have none, the oldest first, then joins files. */
export async function buildTiers(store: Store): Promise<void> {
  for (const tier of store.tiers.filter(({ built }) => built)) {
    for (const dayMs of daysToBuild(store, tier).slice(0, mostDays)) await buildDay(store, tier, dayMs);
    await joinFiles(store, tier);
  }
}

function daysToBuild(store: Store, tier: Tier): number[] {
  const { blocks, daySpanMs, sealedMs } = store;
  const oldestMs = store.clock.nowMs() - tier.retainMs;
  const days = new Set(blocks.map(({ file }) => Math.floor(file.startMs / daySpanMs) * daySpanMs));
  return [...days]
    .sort((a, b) => a - b)
    .filter((dayMs) => {
      if (dayMs + daySpanMs > sealedMs || dayMs + daySpanMs <= oldestMs) return false;
      const there = fileOfDay(tier, dayMs, daySpanMs);
      return there === undefined || (there.damaged && !blocksOf(store, dayMs).some(({ damaged }) => damaged));
    });
}

function blocksOf({ blocks, daySpanMs }: Store, dayMs: number): ShelfBlock[] {
  return blocks.filter(({ file }) => file.startMs < dayMs + daySpanMs && file.endMs > dayMs);
}

async function buildDay(store: Store, tier: Tier, dayMs: number): Promise<void> {
  const endMs = dayMs + store.daySpanMs;
  const blocks = blocksOf(store, dayMs);
  for (const block of blocks) await load(store.shelf, block);
  const before = tier.files.filter(({ file }) => file.startMs === dayMs && file.endMs === endMs);
  const file = await writeSummaries(tier.folder, dayMs, endMs, daySummaries(store, tier, blocks, dayMs, endMs));
  if (file !== undefined) {
    const block = shelfBlock(file);
    await load(store.shelf, block);
    placeFile(store, tier, block, before);
  }
  freshen(tier, [dayMs]);
}

async function* daySummaries(
  store: Store,
  { stepMs }: Tier,
  blocks: readonly ShelfBlock[],
  startMs: number,
  endMs: number,
): AsyncGenerator<SummarySeries> {
  let since = store.clock.tickMs();
  for await (const { labels, times, values } of blockSeries(store, blocks, (series) => series)) {
    const [from, to] = [indexAt(times, startMs), indexAt(times, endMs)];
    if (to > from) yield { labels, ...summarise(times.subarray(from, to), values.subarray(from, to), stepMs) };
    if (store.clock.tickMs() - since < longestMs) continue;
    await breathe();
    since = store.clock.tickMs();
  }
}

function placeFile({ shelf }: Store, tier: Tier, block: ShelfBlock | undefined, instead: readonly ShelfBlock[]): void {
  const kept = tier.files.filter((one) => !instead.includes(one));
  tier.files = (block ? [...kept, block] : kept).sort((a, b) => a.file.startMs - b.file.startMs);
  for (const old of instead) {
    if (old.file.path !== block?.file.path) rmSync(old.file.path, { force: true });
    remove(shelf, old);
  }
}

function freshen(tier: Tier, days: readonly number[]): void {
  for (const dayMs of days) if (tier.stale.has(dayMs)) rmSync(stalePath(tier, dayMs), { force: true });
  tier.stale = new Set([...tier.stale].filter((dayMs) => !days.includes(dayMs)));
}

/** Files that lie in one long stretch become one, so that a year is read from few. */
async function joinFiles(store: Store, tier: Tier): Promise<void> {
  const lengthMs = tier.joinedDays * store.daySpanMs;
  const stretches = new Map<number, ShelfBlock[]>();
  for (const one of tier.files) {
    const startMs = Math.floor(one.file.startMs / lengthMs) * lengthMs;
    if (one.file.endMs <= startMs + lengthMs) stretches.set(startMs, [...(stretches.get(startMs) ?? []), one]);
  }
  for (const [startMs, files] of stretches) {
    const loose = files.filter((one) => lengthOf(one) <= store.daySpanMs).length;
    const isOver = startMs + lengthMs <= store.sealedMs;
    if (files.length < 2 || (loose < mostLoose && !isOver)) continue;
    await join(store, tier, files);
  }
}

async function join(store: Store, tier: Tier, files: readonly ShelfBlock[]): Promise<void> {
  const startMs = Math.min(...files.map(({ file }) => file.startMs));
  const endMs = Math.max(...files.map(({ file }) => file.endMs));
  const spans: Span[] = [];
  const days: number[] = [];
  for (let dayMs = startMs; dayMs < endMs; dayMs += store.daySpanMs) {
    days.push(dayMs);
    const from = fileOfDay(tier, dayMs, store.daySpanMs);
    if (from !== undefined) spans.push({ from, startMs: dayMs, endMs: dayMs + store.daySpanMs });
    // Its summaries are still to come: a file over it would say that there are none.
    else if (hasBlocks(store, dayMs)) return;
  }
  for (const one of files) await load(store.shelf, one);
  const isSound = () => files.every(({ damaged }) => !damaged);
  if (!isSound()) return;
  const series = joinedSeries(store, files, spans);
  const file = await writeSummaries(tier.folder, startMs, endMs, series, isSound);
  if (!isSound()) return;
  const block = file && shelfBlock(file);
  if (block) await load(store.shelf, block);
  placeFile(store, tier, block, files);
  freshen(tier, days);
}

/** What one file says of a stretch. */
interface Span {
  readonly from: ShelfBlock;
  readonly startMs: number;
  readonly endMs: number;
}

async function* joinedSeries(
  store: Store,
  files: readonly ShelfBlock[],
  spans: readonly Span[],
): AsyncGenerator<SummarySeries> {
  let since = store.clock.tickMs();
  for (const id of inOrder(store.postings, idsOf(files))) {
    const all = new Map<ShelfBlock, readonly Summaries[]>();
    for (const file of files) all.set(file, await readAll(store.shelf, file, id));
    const parts = spans.flatMap(({ from, startMs, endMs }) =>
      (all.get(from) ?? []).map((one) => cutSummaries(one, indexAt(one.times, startMs), indexAt(one.times, endMs))),
    );
    const joined = concatSummaries(parts);
    if (joined.times.length > 0) yield { labels: labelsOfId(store.postings, id), ...joined };
    if (store.clock.tickMs() - since < longestMs) continue;
    await breathe();
    since = store.clock.tickMs();
  }
}

function mapColumns(of: (name: SummaryColumn) => Float64Array<ArrayBuffer>): Summaries["columns"] {
  return Object.fromEntries(summaryColumns.map((name) => [name, of(name)])) as unknown as Summaries["columns"];
}

function cutSummaries({ times, columns }: Summaries, from: number, to: number): Summaries {
  return { times: times.subarray(from, to), columns: mapColumns((name) => columns[name].subarray(from, to)) };
}

function concatSummaries(parts: readonly Summaries[]): Summaries {
  const count = parts.reduce((sum, { times }) => sum + times.length, 0);
  const gather = (of: (part: Summaries) => Float64Array) => {
    const all = new Float64Array(count);
    let at = 0;
    for (const part of parts) {
      all.set(of(part), at);
      at += part.times.length;
    }
    return all;
  };
  return { times: gather(({ times }) => times), columns: mapColumns((name) => gather(({ columns }) => columns[name])) };
}

/** Removes what is older than each tier is kept. */
export function retainTiers(store: Store): void {
  for (const tier of store.tiers.filter(({ built }) => built)) {
    const oldestMs = store.clock.nowMs() - tier.retainMs;
    const old = tier.files.filter(({ file }) => file.endMs <= oldestMs);
    if (old.length > 0) placeFile(store, tier, undefined, old);
    freshen(
      tier,
      [...tier.stale].filter((dayMs) => dayMs + store.daySpanMs <= oldestMs),
    );
  }
}

/**
 * Says that samples in the span, both ends included, are about to change: its summaries are not read any more, and made again of
 * the blocks at the next maintenance. Call it before the change is on the disk. Where samples are gone for their age the
 * summaries stay, being all that is left.
 */
export async function dropTiers(store: Store, startMs: number, endMs: number): Promise<void> {
  const { daySpanMs, blocks } = store;
  const oldestMs = Math.max(store.clock.nowMs() - store.retainMs, blocks[0]?.file.startMs ?? Infinity);
  for (const tier of store.tiers) {
    const days = daysOf(tier, startMs, endMs, daySpanMs).filter((dayMs) => dayMs + daySpanMs > oldestMs);
    const over = (dayMs: number) =>
      tier.files.filter(({ file }) => file.startMs <= dayMs && file.endMs >= dayMs + daySpanMs);
    const marked = days.filter((dayMs) => over(dayMs).some((one) => lengthOf(one) > daySpanMs));
    for (const dayMs of marked) writeFileSync(stalePath(tier, dayMs), "", { mode: 0o600 });
    if (marked.length > 0) await syncFolder(tier.folder);
    tier.stale = new Set([...tier.stale, ...marked]);
    // Only now: without its own file a day would be read from that of many days.
    const own = days.flatMap((dayMs) => over(dayMs).filter((one) => lengthOf(one) <= daySpanMs));
    if (own.length > 0) placeFile(store, tier, undefined, own);
    if (own.length > 0) await syncFolder(tier.folder);
  }
}

/** Starts of the days that touch the span and that a file speaks for. */
function daysOf({ files }: Tier, startMs: number, endMs: number, daySpanMs: number): number[] {
  const days = new Set<number>();
  for (const { file } of files) {
    const [from, to] = [Math.max(file.startMs, startMs), Math.min(file.endMs - 1, endMs)];
    for (let dayMs = Math.floor(from / daySpanMs) * daySpanMs; dayMs <= to; dayMs += daySpanMs) days.add(dayMs);
  }
  return [...days].sort((a, b) => a - b);
}

/** Removes the summaries of stretches that touch the span: what is deleted can be seen in none. */
export async function removeFromTiers(
  store: Store,
  { matchers, startMs, endMs }: Pick<Selection, "matchers" | "startMs" | "endMs">,
): Promise<void> {
  await dropTiers(store, startMs, endMs);
  for (const tier of store.tiers) {
    const touched = tier.files.filter(({ file }) => file.startMs - tier.stepMs <= endMs && file.endMs > startMs);
    for (const one of touched) await load(store.shelf, one);
    const ids = new Set(select(store.postings, matchers));
    for (const one of touched) {
      if (!one.index?.ids.some((id) => ids.has(id))) continue;
      const series = withoutSpan(store, tier, one, ids, startMs, endMs);
      const file = await writeSummaries(tier.folder, one.file.startMs, one.file.endMs, series);
      const block = file && shelfBlock(file);
      if (block) await load(store.shelf, block);
      placeFile(store, tier, block, [one]);
    }
  }
}

async function* withoutSpan(
  store: Store,
  { stepMs }: Tier,
  file: ShelfBlock,
  ids: ReadonlySet<number>,
  startMs: number,
  endMs: number,
): AsyncGenerator<SummarySeries> {
  // From behind the stretch that ends before the span, to the end of the stretch in which it ends.
  const [fromMs, toMs] = [Math.ceil(startMs / stepMs) * stepMs - stepMs + 1, Math.ceil(endMs / stepMs) * stepMs];
  for (const id of inOrder(store.postings, idsOf([file]))) {
    const parts = (await readAll(store.shelf, file, id)).flatMap((one) =>
      ids.has(id)
        ? [
            cutSummaries(one, 0, indexAt(one.times, fromMs)),
            cutSummaries(one, indexAt(one.times, toMs + 1), one.times.length),
          ]
        : [one],
    );
    const left = concatSummaries(parts);
    if (left.times.length > 0) yield { labels: labelsOfId(store.postings, id), ...left };
  }
}
