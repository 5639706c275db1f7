import { momentOf, stepsOf } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";

/** Lines as columns that a chart can draw. Pure. */

export interface PlotLine {
  readonly values: Float64Array;
  /** Index of its colour. */
  readonly colour: number;
  readonly shown: boolean;
}

export type Column = (number | null)[];

/** Seconds, and for each line its values; what is not there is a gap. Stacked: each on top of those before. */
export function dataOf(grid: Grid, lines: readonly PlotLine[], stacked: boolean): [number[], ...Column[]] {
  const count = stepsOf(grid);
  const times = Array.from({ length: count }, (_, index) => momentOf(grid, index) / 1_000);
  const base = new Float64Array(count);
  const columns = lines.map(({ values, shown }) => {
    const column: Column = new Array(count).fill(null);
    for (let index = 0; index < count; index++) {
      const value = values[index] ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      if (stacked && shown) base[index] = (base[index] ?? 0) + value;
      column[index] = stacked && shown ? (base[index] ?? 0) : value;
    }
    return column;
  });
  return [times, ...columns];
}

/** Indices of values without a neighbour. */
export function lonePoints(column: Column): number[] {
  const alone: number[] = [];
  for (let at = 0; at < column.length; at++) {
    if (column[at] != null && column[at - 1] == null && column[at + 1] == null) alone.push(at);
  }
  return alone;
}

/** The day where it begins, or is the first; the time of day, as exact as the marks are. In the reader's time zone. */
export function timeText(seconds: number, before: number | undefined, incrementS: number): string {
  const at = new Date(seconds * 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const sameDay = before !== undefined && new Date(before * 1_000).toDateString() === at.toDateString();
  const sameYear = before !== undefined && new Date(before * 1_000).getFullYear() === at.getFullYear();
  if (incrementS >= 86_400) return sameYear ? day : `${day}\n${at.getFullYear()}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}${incrementS < 60 ? `:${two(at.getSeconds())}` : ""}`;
  return sameDay ? clock : `${clock}\n${day}`;
}
