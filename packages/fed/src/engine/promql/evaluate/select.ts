import type { Selection } from "../../series/queryable.ts";
import { isStale, type Series } from "../../series/series.ts";
import type { At, VectorSelector } from "../ast.ts";
import { noteCoarse, wishFor } from "./coarse.ts";
import { compareLabels } from "./name.ts";
import { emptyDraft, type Frame, isEmpty, momentMs, type Query, type Visit } from "./query.ts";
import { sortInTurns } from "./sort.ts";

/** When to look, for each step. */
export interface Reference {
  /** The same for all steps: set by `@`. */
  readonly fixed: boolean;
  at(step: number): number;
}

export function referenceOf(query: Query, frame: Frame, at: At | undefined, offsetMs: number): Reference {
  if (at === undefined) return { fixed: false, at: (step) => momentMs(frame, step) - offsetMs };
  const fixedMs = (at.kind === "time" ? at.atMs : at.kind === "start" ? query.startMs : query.endMs) - offsetMs;
  return { fixed: true, at: () => fixedMs };
}

/** The newest sample of the look-back at each step; its time instead of its value under `times`. */
export async function streamSelector(
  query: Query,
  selector: VectorSelector,
  frame: Frame,
  visit: Visit,
  times = false,
): Promise<void> {
  const reference = referenceOf(query, frame, selector.at, selector.offsetMs);
  const [startMs, endMs] = [reference.at(0) - query.lookbackMs + 1, reference.at(frame.steps - 1)];
  const stepMs = frame.steps > 1 ? frame.stepMs : 0;
  const func = times ? "timestamp" : undefined;
  const summary = wishFor("last", endMs - startMs, stepMs);
  const hint = { stepMs, rangeMs: query.lookbackMs, func, summary };
  const selection: Selection = { matchers: selector.matchers, startMs, endMs, hint };
  await readSeries(query, selection, frame.steps === 1, (series) => {
    const draft = emptyDraft(series.labels, frame);
    if (series.coarse) noteCoarse(query, series.coarse, summary, selector.span);
    fillNewest(draft, series, reference, query.lookbackMs, times);
    if (!isEmpty(draft)) visit(draft);
  });
}

interface Cells {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

function fillNewest(cells: Cells, series: Series, reference: Reference, lookbackMs: number, wantTimes: boolean): void {
  const { times, values, coarse } = series;
  // Between two summaries there is nothing to tell that the series goes on.
  const [entries, longerMs] = [coarse?.entries ?? 0, lookbackMs + (coarse?.stepMs ?? 0)];
  const steps = cells.values.length;
  let next = 0;
  for (let i = 0; i < steps; i++) {
    const refMs = reference.at(i);
    while (next < times.length && (times[next] as number) <= refMs) next++;
    const timeMs = times[next - 1];
    if (timeMs === undefined || timeMs <= refMs - (next > entries ? lookbackMs : longerMs)) continue;
    const value = values[next - 1] as number;
    if (Number.isNaN(value) && isStale(values, next - 1)) continue;
    cells.values[i] = wantTimes ? timeMs / 1000 : value;
    cells.present[i] = 1;
  }
}

/** The store's series one after the other; sorted by labels when `sorted`, else in the store's order. */
export async function readSeries(
  query: Query,
  selection: Selection,
  sorted: boolean,
  visit: (series: Series) => Promise<void> | undefined | void,
): Promise<void> {
  const { budget } = query;
  const held: Series[] = [];
  for await (const batch of query.queryable.select(selection, query.signal)) {
    budget.readSeries(batch.length);
    for (const series of batch) {
      budget.readSamples(series.times.length);
      if (sorted) held.push(series);
      else await visit(series);
      if (budget.due) await budget.rest();
    }
  }
  for (const series of await sortInTurns(held, (a, b) => compareLabels(a.labels, b.labels), budget)) {
    await visit(series);
    if (budget.due) await budget.rest();
  }
}
