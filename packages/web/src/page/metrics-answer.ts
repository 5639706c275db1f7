import type { WireMetric } from "@fed/fed/wire/metric.ts";
import type { Grid } from "./metrics-range.ts";

/** What the hub answered, as columns to draw and rows to list. Pure. */

/** One series over the steps of a grid; NaN where there is no value. */
export interface Line {
  readonly labels: WireMetric;
  readonly values: Float64Array;
}

export interface Range {
  readonly kind: "range";
  readonly grid: Grid;
  readonly lines: readonly Line[];
}

/** One series at one moment. */
export interface Point {
  readonly labels: WireMetric;
  /** As the hub wrote it: every digit of it. */
  readonly text: string;
}

export interface Instant {
  readonly kind: "instant";
  readonly atMs: number;
  readonly points: readonly Point[];
}

/** The part of Prometheus' envelope that is read. Samples are checked while they are turned into columns. */
export interface RawAnswer {
  readonly data: { readonly resultType: string; readonly result: unknown };
  readonly warnings?: readonly string[] | undefined;
  readonly infos?: readonly string[] | undefined;
}

interface RawSeries {
  readonly metric?: WireMetric;
  readonly values?: unknown;
  readonly value?: unknown;
}

/** How many moments it has. */
export function stepsOf({ startMs, endMs, stepMs, tailMs }: Grid): number {
  return Math.floor((endMs - startMs) / stepMs) + (tailMs === undefined ? 1 : 2);
}

export function momentOf(grid: Grid, index: number): number {
  const { startMs, stepMs, tailMs } = grid;
  return tailMs !== undefined && index === stepsOf(grid) - 1 ? tailMs : startMs + index * stepMs;
}

export function readRange({ data }: RawAnswer, grid: Grid): Range {
  const count = stepsOf(grid);
  const lines = rawSeries(data.result).map(({ metric = {}, values }) => {
    const column = new Float64Array(count).fill(Number.NaN);
    for (const sample of Array.isArray(values) ? values : []) {
      if (!Array.isArray(sample)) continue;
      const [seconds, text] = sample as readonly unknown[];
      const at = Math.round((Number(seconds) * 1_000 - grid.startMs) / grid.stepMs);
      if (at >= 0 && at < count) column[at] = readValue(String(text));
    }
    return { labels: metric, values: column };
  });
  return { kind: "range", grid, lines };
}

/** The values on another grid of the same step; what lies outside of either is missing. */
export function moveTo(values: Float64Array, from: Grid, to: Grid): Float64Array {
  if (from.startMs === to.startMs && from.endMs === to.endMs && from.stepMs === to.stepMs) return values;
  const moved = new Float64Array(stepsOf(to)).fill(Number.NaN);
  if (from.stepMs !== to.stepMs) return moved;
  const ahead = Math.round((to.startMs - from.startMs) / to.stepMs);
  for (let at = 0; at < moved.length; at++) moved[at] = values[at + ahead] ?? Number.NaN;
  return moved;
}

export function readInstant({ data }: RawAnswer, atMs: number): Instant {
  const { resultType, result } = data;
  if (resultType === "scalar" || resultType === "string") {
    return { kind: "instant", atMs, points: [{ labels: {}, text: lastText(result) }] };
  }
  const points = rawSeries(result).map(({ metric = {}, value, values }) => ({
    labels: metric,
    text: lastText(value ?? (Array.isArray(values) ? values.at(-1) : undefined)),
  }));
  return { kind: "instant", atMs, points };
}

function rawSeries(result: unknown): readonly RawSeries[] {
  return Array.isArray(result) ? (result as readonly RawSeries[]) : [];
}

function lastText(sample: unknown): string {
  return Array.isArray(sample) ? String(sample[1]) : "NaN";
}

/** A float as Prometheus' API writes it. */
export function readValue(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

export interface Summary {
  readonly least: number;
  readonly mean: number;
  readonly greatest: number;
  readonly last: number;
}

/** Of the values there are; NaN for each when there is none. */
export function summarise(values: Float64Array): Summary {
  let [least, greatest, last, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    last = value;
    sum += value;
    count++;
  }
  if (count === 0) return { least: Number.NaN, mean: Number.NaN, greatest: Number.NaN, last };
  return { least, mean: sum / count, greatest, last };
}

/** Those with the greatest mean, in the order they came, so that none changes its colour while values change. */
export function greatestOf<T extends Pick<Line, "values">>(lines: readonly T[], most: number): readonly T[] {
  if (lines.length <= most) return lines;
  const ranked = lines.map((line, index) => ({ index, mean: summarise(line.values).mean }));
  ranked.sort((a, b) => (Number.isNaN(a.mean) ? 1 : Number.isNaN(b.mean) ? -1 : b.mean - a.mean));
  const kept = new Set(ranked.slice(0, most).map(({ index }) => index));
  return lines.filter((_, index) => kept.has(index));
}

/** A series as PromQL writes it: `up{job="a"}`. */
export function seriesText(labels: WireMetric): string {
  const { __name__: name = "", ...rest } = labels;
  const pairs = Object.entries(rest).map(([label, value]) => `${label}=${quoted(value)}`);
  return pairs.length > 0 ? `${name}{${pairs.join(", ")}}` : name || "{}";
}

/** Marks that turn the direction of what follows would make a label look like another one. */
function quoted(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The same without what all of them have in common; what is left when that is nothing. */
export function shortNames(all: readonly WireMetric[]): readonly string[] {
  const [first = {}] = all;
  const common = new Set(
    all.length < 2 ? [] : Object.keys(first).filter((label) => all.every((one) => one[label] === first[label])),
  );
  return all.map((labels) => {
    const own = Object.fromEntries(Object.entries(labels).filter(([label]) => !common.has(label)));
    return Object.keys(own).length > 0 ? seriesText(own) : seriesText(labels);
  });
}

/** Rows of a table as CSV (RFC 4180). */
export function csvOf(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
