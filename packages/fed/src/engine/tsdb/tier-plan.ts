import type { Selection } from "../series/queryable.ts";
import type { ShelfBlock } from "./shelf.ts";
import type { Store } from "./store.ts";
import { fileOfDay, type Tier } from "./tier.ts";

/** A part of a selection's span: of summaries when it has a file, of samples otherwise. Both ends included. */
export interface Segment {
  readonly startMs: number;
  readonly endMs: number;
  readonly file?: ShelfBlock | undefined;
}

export interface Plan {
  /** By time, none over another. */
  readonly segments: readonly Segment[];
  /** Of the coarsest summaries among them; 0 for samples alone. */
  readonly stepMs: number;
}

/** Where to read what a selection asks for: summaries where they are wanted, or where the samples are gone. */
export function planOf(store: Store, { startMs, endMs, hint }: Selection): Plan {
  const files = store.tiers.flatMap((tier) => tier.files);
  const oldestMs = store.clock.nowMs() - store.retainMs;
  const samples = (fromMs: number, toMs: number): Segment => ({ startMs: Math.max(fromMs, oldestMs), endMs: toMs });
  if (hint === undefined || files.length === 0) return { segments: [samples(startMs, endMs)], stepMs: 0 };
  const wanted = hint.summary?.mostMs ?? 0;
  const widestMs = Math.max(...store.tiers.map((tier) => tier.stepMs));
  const fromMs = Math.max(startMs - widestMs, Math.min(...files.map(({ file }) => file.startMs)));
  const toMs = Math.min(endMs + 1, Math.max(...files.map(({ file }) => file.endMs)));
  const firstMs = Math.floor(fromMs / store.daySpanMs) * store.daySpanMs;
  const segments = startMs < firstMs ? [samples(startMs, Math.min(endMs, firstMs - 1))] : [];
  let stepMs = 0;
  let nextMs = firstMs;
  for (; nextMs < toMs; nextMs += store.daySpanMs) {
    const lastMs = Math.min(endMs, nextMs + store.daySpanMs - 1);
    const tier = tierOfDay(store, nextMs, wanted, oldestMs);
    const file = tier && fileOfDay(tier, nextMs, store.daySpanMs);
    if (tier === undefined || file === undefined) {
      segments.push(samples(Math.max(startMs, nextMs), lastMs));
      continue;
    }
    // What is asked for at a moment may be told by a summary whose last sample lies a step before, and lie in the next one.
    const earliestMs = Math.max(startMs - tier.stepMs, nextMs);
    const latestMs = Math.min(endMs + tier.stepMs, nextMs + store.daySpanMs - 1);
    segments.push({ startMs: earliestMs, endMs: latestMs, file });
    stepMs = Math.max(stepMs, tier.stepMs);
  }
  segments.push(samples(Math.max(startMs, nextMs), endMs));
  return { segments: joined(segments), stepMs };
}

/** The coarsest of what is wanted; samples, told by undefined; or the finest of what is left. */
function tierOfDay(store: Store, dayMs: number, wantedMs: number, oldestMs: number): Tier | undefined {
  const endMs = dayMs + store.daySpanMs;
  const nowMs = store.clock.nowMs();
  const there = store.tiers.filter(
    (tier) => dayMs >= nowMs - tier.retainMs && fileOfDay(tier, dayMs, store.daySpanMs) !== undefined,
  );
  const isWaiting = store.stage.head.arenas.some((arena) => arena.startMs < endMs && arena.endMs > dayMs);
  const wanted = isWaiting ? undefined : there.findLast((tier) => tier.stepMs <= wantedMs);
  if (wanted !== undefined) return wanted;
  return dayMs >= oldestMs && (endMs > store.sealedMs || hasBlocks(store, dayMs)) ? undefined : there[0];
}

export function hasBlocks({ blocks, daySpanMs }: Store, dayMs: number): boolean {
  return blocks.some(({ file }) => file.startMs < dayMs + daySpanMs && file.endMs > dayMs);
}

function joined(segments: readonly Segment[]): Segment[] {
  const all: Segment[] = [];
  for (const one of segments) {
    const last = all.at(-1);
    if (one.startMs > one.endMs) continue;
    if (last !== undefined && last.file === one.file && last.endMs + 1 === one.startMs) {
      all[all.length - 1] = { ...last, endMs: one.endMs };
    } else all.push(one);
  }
  return all;
}
