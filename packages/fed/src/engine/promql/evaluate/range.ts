import type { Expr, MatrixSelector, Subquery } from "../ast.ts";
import { noteCoarse, wishFor } from "./coarse.ts";
import { type Draft, type Frame, momentMs, type Query } from "./query.ts";
import { freshSamples, type Samples } from "./samples.ts";
import { type Reference, readSeries, referenceOf } from "./select.ts";

/** A range selector or a subquery: at each step the samples of `(end - range, end]`. */
export interface Range {
  readonly rangeMs: number;
  readonly end: Reference;
  /** Hands over the samples of each series, those of all steps together. */
  read(visit: (samples: Samples) => Promise<void> | undefined): Promise<void>;
}

export function isRange(expr: Expr): expr is MatrixSelector | Subquery {
  return expr.kind === "matrix" || expr.kind === "subquery";
}

export function openRange(
  query: Query,
  expr: MatrixSelector | Subquery,
  frame: Frame,
  func: string | undefined,
): Range {
  return expr.kind === "matrix" ? openMatrix(query, expr, frame, func) : openSubquery(query, expr, frame);
}

function openMatrix(query: Query, expr: MatrixSelector, frame: Frame, func: string | undefined): Range {
  const { selector, rangeMs } = expr;
  const end = referenceOf(query, frame, selector.at, selector.offsetMs);
  const [startMs, endMs] = [end.at(0) - rangeMs + 1, end.at(frame.steps - 1)];
  const summary = wishFor(func, endMs - startMs, rangeMs);
  const hint = { stepMs: frame.steps > 1 ? frame.stepMs : 0, rangeMs, func, summary };
  const selection = { matchers: selector.matchers, startMs, endMs, hint };
  return {
    rangeMs,
    end,
    read: (visit) =>
      readSeries(query, selection, frame.steps === 1, (series) => {
        const samples = func === undefined ? within(freshSamples(series), selection) : freshSamples(series);
        if (series.coarse) noteCoarse(query, series.coarse, summary, expr.span);
        return samples.times.length > 0 ? visit(samples) : undefined;
      }),
  };
}

/** Summaries come with those that lie over the ends of the span. */
function within(samples: Samples, { startMs, endMs }: { readonly startMs: number; readonly endMs: number }): Samples {
  if (samples.coarse === undefined) return samples;
  const { labels, dropName, times, values } = samples;
  const from = times.findIndex((timeMs) => timeMs >= startMs);
  const to = times.findLastIndex((timeMs) => timeMs <= endMs) + 1;
  const [first, last] = from < 0 ? [0, 0] : [from, to];
  return { labels, dropName, times: times.subarray(first, last), values: values.subarray(first, last) };
}

function openSubquery(query: Query, expr: Subquery, frame: Frame): Range {
  const end = referenceOf(query, frame, expr.at, expr.offsetMs);
  const stepMs = expr.stepMs === 0 ? query.subqueryStepMs : expr.stepMs;
  const beforeMs = end.at(0) - expr.rangeMs;
  let startMs = stepMs * Math.trunc(beforeMs / stepMs);
  if (startMs <= beforeMs) startMs += stepMs;
  const steps = Math.floor((end.at(frame.steps - 1) - startMs) / stepMs) + 1;
  const inner: Frame = { startMs, stepMs, steps };
  return {
    rangeMs: expr.rangeMs,
    end,
    async read(visit) {
      if (steps <= 0) return;
      // Before any column is made: 30 days by the millisecond are more moments than there is memory for.
      query.budget.hold(steps);
      const drafts: Draft[] = [];
      await query.stream(expr.expr, inner, (draft) => {
        query.budget.hold(steps);
        drafts.push(draft);
      });
      for (const draft of drafts) {
        query.budget.readSamples(steps);
        await visit(samplesOf(draft, inner));
      }
    },
  };
}

function samplesOf({ labels, dropName, values, present }: Draft, frame: Frame): Samples {
  const times = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) continue;
    times[count] = momentMs(frame, i);
    values[count++] = values[i] as number;
  }
  return { labels, dropName, times: times.subarray(0, count), values: values.subarray(0, count) };
}
