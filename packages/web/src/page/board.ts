import { type Line, seriesText, stepsOf } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";

/** Several figures over one stretch of time that goes on: what they ask, and how what is new joins what is there. Pure. */

export interface Figure {
  /** Letters, digits and dashes. */
  readonly id: string;
  /** PromQL for steps. */
  readonly steps: string;
  /** PromQL for this moment. */
  readonly now: string;
}

/** What is known of a figure: its lines over the moments of the board's grid. */
export interface Told {
  readonly lines: readonly Line[];
  /** Why it is not known; the lines are older then, or none. */
  readonly failure?: { readonly thrown: unknown };
}

/** By the id of a figure. */
export type Lines = ReadonlyMap<string, readonly Line[]>;

const markLabel = "fed_figure";

/** One query for all of them: a tick costs one answer, however many charts there are. */
export function joined(figures: readonly Figure[], part: "steps" | "now"): string {
  return figures.map((one) => `label_replace(${one[part]}, "${markLabel}", "${one.id}", "", "")`).join(" or ");
}

/** The answer of a joined query, to each figure its own. */
export function parted(lines: readonly Line[]): Lines {
  const parts = new Map<string, Line[]>();
  for (const { labels, values } of lines) {
    const { [markLabel]: id = "", ...own } = labels;
    const part = parts.get(id);
    if (part) part.push({ labels: own, values });
    else parts.set(id, [{ labels: own, values }]);
  }
  return parts;
}

/** Whole steps up to this moment, on the same round times whoever asks. */
export function gridAt(lengthMs: number, stepMs: number, atMs: number): Grid {
  const endMs = Math.floor(atMs / stepMs) * stepMs;
  return { startMs: endMs - Math.floor(lengthMs / stepMs) * stepMs, endMs, stepMs };
}

/** The same stretch a while later, with the moment that it is then. */
export function gridLater(grid: Grid, atMs: number): Grid {
  const { startMs, endMs, stepMs } = grid;
  const later = gridAt(endMs - startMs, stepMs, Math.max(atMs, endMs));
  return atMs > later.endMs ? { ...later, tailMs: atMs } : later;
}

/** The steps of the later grid that the earlier one has not; undefined when there are none. */
export function newSteps(before: Grid, after: Grid): Grid | undefined {
  const { stepMs, endMs } = after;
  const startMs = Math.max(after.startMs, before.endMs + stepMs);
  return startMs > endMs ? undefined : { startMs, endMs, stepMs };
}

interface News {
  /** Over `newSteps`. */
  readonly steps: readonly Line[];
  /** Of the later grid's tail: one value each. */
  readonly now: readonly Line[];
}

/** The lines on the later grid, with what is new; one without a value in it is gone. Sorted by name: none changes its colour. */
export function continued(lines: readonly Line[], before: Grid, after: Grid, { steps, now }: News): readonly Line[] {
  const count = stepsOf(after);
  const merged = new Map<string, Line>();
  const lineOf = ({ labels }: Line): Float64Array => {
    const key = seriesText(labels);
    let line = merged.get(key);
    if (!line) {
      line = { labels, values: new Float64Array(count).fill(Number.NaN) };
      merged.set(key, line);
    }
    return line.values;
  };
  const put = (from: readonly Line[], grid: Grid) => {
    const first = Math.round((grid.startMs - after.startMs) / after.stepMs);
    const whole = stepsOf({ startMs: grid.startMs, endMs: grid.endMs, stepMs: grid.stepMs });
    for (const line of from) {
      const values = lineOf(line);
      for (let at = Math.max(0, -first); at < whole; at++) values[first + at] = line.values[at] ?? Number.NaN;
    }
  };
  put(lines, before);
  const added = newSteps(before, after);
  if (added) put(steps, added);
  if (after.tailMs !== undefined) for (const line of now) lineOf(line)[count - 1] = line.values[0] ?? Number.NaN;
  return sorted([...merged.values()].filter(({ values }) => values.some((value) => !Number.isNaN(value))));
}

export function sorted(lines: readonly Line[]): readonly Line[] {
  const named = lines.map((line) => ({ line, name: seriesText(line.labels) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ line }) => line);
}
