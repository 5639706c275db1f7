import type { SummaryWish } from "../../series/queryable.ts";
import type { Coarse, SummaryColumn } from "../../series/series.ts";
import type { Span } from "../ast.ts";
import { printDuration } from "../duration.ts";
import type { Query } from "./query.ts";
import type { Samples } from "./samples.ts";
import type { Window } from "./window.ts";

/** Within so long a span samples are wanted, so that what people look at closely is exact. */
const closeMs = 3 * 86_400_000;

const wholeCounter = ["last", "first", "firstTime", "count", "increase"] as const;

/** What tells as much as the samples; `last` is what a selector alone takes. Others need each sample. */
const wishes: Readonly<Record<string, readonly SummaryColumn[]>> = {
  last: ["last"],
  timestamp: ["last"],
  last_over_time: ["last"],
  present_over_time: ["last"],
  absent_over_time: ["last"],
  deriv: ["last"],
  predict_linear: ["last"],
  idelta: ["last"],
  min_over_time: ["min"],
  max_over_time: ["max"],
  sum_over_time: ["sum"],
  count_over_time: ["count"],
  avg_over_time: ["sum", "count"],
  delta: ["last", "first", "firstTime", "count"],
  rate: wholeCounter,
  increase: wholeCounter,
  irate: wholeCounter,
};

/** Summaries may stand for samples where `apartMs`, a window or the distance of two moments, holds two of them. */
export function wishFor(func: string | undefined, spanMs: number, apartMs: number): SummaryWish | undefined {
  const columns = wishes[func ?? ""];
  return columns && { columns, mostMs: spanMs > closeMs ? apartMs / 2 : 0 };
}

/** Says that not all of an answer comes from samples. */
export function noteCoarse(query: Query, coarse: Coarse, wish: SummaryWish | undefined, span: Span): void {
  const step = printDuration(coarse.stepMs);
  const words = wish
    ? `old samples were read from summaries of ${step}`
    : `old samples are gone, the last ones of summaries of ${step} stand for them`;
  query.notes.info(words, span);
}

/** For each entry and sample, how much has been lost by resets up to it: what a counter would show more without them. */
export function fallsOf({ values, coarse }: Samples): Float64Array | undefined {
  const { first, increase } = coarse?.columns ?? {};
  if (coarse === undefined || first === undefined || increase === undefined) return undefined;
  const falls = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const last = values[i] as number;
    const begin = i < coarse.entries ? (first[i] as number) : last;
    if (i > 0 && begin < (values[i - 1] as number)) sum += values[i - 1] as number;
    sum += fallInside(coarse, i, last);
    falls[i] = sum;
  }
  return falls;
}

function fallInside({ entries, columns: { first, increase } }: Coarse, i: number, last: number): number {
  if (i >= entries || first === undefined || increase === undefined) return 0;
  const fall = (increase[i] as number) - (last - (first[i] as number));
  return Number.isFinite(fall) ? fall : 0;
}

/** How many samples a window stands for. */
export function samplesIn({ samples: { coarse }, from, to }: Window): number {
  const counts = coarse?.columns.count;
  if (coarse === undefined || counts === undefined) return to - from;
  const end = Math.min(to, coarse.entries);
  let count = Math.max(0, to - Math.max(from, coarse.entries));
  for (let i = from; i < end; i++) count += counts[i] as number;
  return count;
}

/**
 * Where the window begins for a summary that was newest before it: one for each window that is shorter than the distance of
 * summaries and would find none.
 */
export function reachBack({ samples: { times, coarse }, rangeMs, from, to }: Window, endMs: number): number {
  if (from < to || to === 0 || coarse === undefined || to > coarse.entries) return from;
  const isNear = rangeMs < 2 * coarse.stepMs && (times[to - 1] as number) > endMs - 2 * coarse.stepMs;
  return isNear ? to - 1 : from;
}

type Function = (window: Window, coarse: Coarse) => number;

/** Those of which summaries need more than to be taken as samples. */
export const coarseFunctions: Readonly<Record<string, Function>> = {
  rate: (w, coarse) => extrapolate(w, coarse, w.rangeMs / 1000),
  increase: (w, coarse) => extrapolate(w, coarse, 1),
  delta: (w, coarse) => extrapolate(w, coarse, 1),
  irate: lastRate,
  count_over_time: (w, coarse) => samplesIn(w) * shareOf(w, coarse),
  sum_over_time: (w, coarse) => sumOf(w) * shareOf(w, coarse),
  avg_over_time: (w) => sumOf(w) / samplesIn(w),
};

/** What of a single summary belongs to a window that is shorter. */
function shareOf({ rangeMs, from, to }: Window, { entries, stepMs }: Coarse): number {
  return to - from === 1 && from < entries && rangeMs < stepMs ? rangeMs / stepMs : 1;
}

function sumOf({ samples: { values }, from, to }: Window): number {
  let [sum, rest] = [0, 0];
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const total = sum + value;
    if (Math.abs(total) === Number.POSITIVE_INFINITY) rest = 0;
    else rest += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    sum = total;
  }
  return Number.isFinite(sum) ? sum + rest : sum;
}

/**
 * As for samples, with the first sample of the first summary and the last of the last: the same on the edges of summaries. Elsewhere
 * the window is moved onto these, and what it tells is told of its own length.
 */
function extrapolate(w: Window, coarse: Coarse, divisor: number): number {
  const { samples, falls } = w;
  const { times, values } = samples;
  const last = w.to - 1;
  const isEntry = w.from < coarse.entries;
  const first = (isEntry ? coarse.columns.first?.[w.from] : values[w.from]) as number;
  const firstMs = (isEntry ? coarse.columns.firstTime?.[w.from] : times[w.from]) as number;
  const lastMs = times[last] as number;
  let growth = (values[last] as number) - first;
  if (falls !== undefined) {
    const inside = fallInside(coarse, w.from, values[w.from] as number);
    growth += (falls[last] as number) - (falls[w.from] as number) + inside;
  }
  const sampled = (lastMs - firstMs) / 1000;
  const mean = sampled / (samplesIn(w) - 1);
  const [startMs, endMs] = edgesOf(w, coarse, firstMs, mean * 1000);
  const threshold = mean * 1.1;
  let [toStart, toEnd] = [(firstMs - startMs) / 1000, (endMs - lastMs) / 1000];
  if (toStart >= threshold) toStart = mean / 2;
  if (falls !== undefined && growth > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / growth));
  if (toEnd >= threshold) toEnd = mean / 2;
  const share = w.rangeMs / (endMs - startMs);
  return growth * ((sampled + toStart + toEnd) / sampled / divisor) * share;
}

/** The window's own edges, or those of the summaries that lie over them. */
function edgesOf(w: Window, { entries, stepMs, columns }: Coarse, firstMs: number, meanMs: number): [number, number] {
  let [startMs, endMs] = [w.endMs - w.rangeMs, w.endMs];
  const edgeMs = (timeMs: number) => Math.floor(timeMs / stepMs) * stepMs;
  if (firstMs <= startMs) startMs = Math.max(edgeMs(firstMs - 1), firstMs - meanMs);
  const isCut = w.to < entries && (columns.firstTime?.[w.to] as number) <= endMs;
  const lastMs = w.samples.times[w.to - 1] as number;
  if (isCut) endMs = Math.max(edgeMs(endMs), lastMs);
  return [startMs, endMs];
}

/** Of the last two: of one summary and the one before it, or within one. */
function lastRate(w: Window, coarse: Coarse): number {
  const { times, values } = w.samples;
  const last = w.to - 1;
  const isAlone = w.to - w.from < 2;
  const [before, beforeMs] = isAlone
    ? [coarse.columns.first?.[last], coarse.columns.firstTime?.[last]]
    : [values[last - 1], times[last - 1]];
  const fallen = isAlone
    ? fallInside(coarse, last, values[last] as number)
    : (w.falls?.[last] ?? 0) - (w.falls?.[last - 1] ?? 0);
  const growth = (values[last] as number) - (before as number) + fallen;
  return growth / (((times[last] as number) - (beforeMs as number)) / 1000);
}
