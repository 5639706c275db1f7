import type { Clock } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Expr } from "#engine/promql/ast.ts";
import { walk } from "#engine/promql/walk.ts";
import type { Queryable } from "#engine/series/queryable.ts";
import type { Pieces } from "#wire/handler.ts";
import { executionFault } from "#wire/metric.ts";
import { piecesOfResult } from "./answer.ts";
import { parseQuery, type Range } from "./metric.ts";
import { smallQuery } from "./setting.ts";
import type { Question } from "./thread-message.ts";

/** Answers a query that is small; undefined when it turns out to be none: then it belongs to the thread. */
export type AskSmall = (question: Question, signal: AbortSignal) => Promise<Pieces | undefined>;

/** Work that a few series may cause all the same: a sort of each window, a label or an expression for each cell. */
const heavy: ReadonlySet<string> = new Set(["quantile_over_time", "label_replace", "label_join", "count_values"]);
/** How often a sample may be looked at, at most: windows that overlap look at it in each. */
const mostLooks = 10;

/**
 * A query of a few series is answered sooner than a thread of its own is asked, let alone started. What is small is seen by the
 * query's shape first, then by the number of its series, before a sample is read.
 */
export function makeAskSmall(needs: { store(): Promise<Queryable>; readonly clock: Clock }): AskSmall {
  const { store, clock } = needs;
  return async (question, signal) => {
    if (question.kind !== "query" || question.timeoutMs < smallQuery.timeoutMs) return undefined;
    const { text, range, limit } = question;
    const expr = parseQuery(text, range.stepMs > 0);
    if (!looksSmall(expr, range)) return undefined;
    const queryable = fewSeriesOf(await store());
    // Loaded when it is first needed: a hub that nobody asks does without.
    const { evaluate } = await import("#engine/promql/evaluate.ts");
    try {
      const result = await evaluate(expr, { ...range, text, clock }, queryable, smallQuery, signal);
      return [...piecesOfResult(result, limit)];
    } catch (thrown) {
      signal.throwIfAborted();
      const fault = toFault(thrown);
      if (fault.code === "limited" || fault.code === "timeout") return undefined;
      throw executionFault(fault);
    }
  };
}

function looksSmall(expr: Expr, { startMs, endMs, stepMs }: Range): boolean {
  const spanMs = endMs - startMs;
  const steps = stepMs > 0 ? Math.floor(spanMs / stepMs) + 1 : 1;
  if (steps > smallQuery.points) return false;
  let parts = 0;
  for (const part of walk(expr)) {
    if (++parts > smallQuery.parts || part.kind === "subquery") return false;
    if (part.kind === "call" && heavy.has(part.func)) return false;
    if (part.kind === "aggregation" && heavy.has(part.op)) return false;
    if (part.kind === "matrix" && (steps * part.rangeMs) / (spanMs + part.rangeMs) > mostLooks) return false;
  }
  return true;
}

function fewSeriesOf(queryable: Queryable): Queryable {
  return {
    select: (selection, signal) => queryable.select({ ...selection, mostSeries: smallQuery.series }, signal),
    series: (selection, signal) => queryable.series(selection, signal),
    labelNames: (selection, signal) => queryable.labelNames(selection, signal),
    labelValues: (name, selection, signal) => queryable.labelValues(name, selection, signal),
  };
}
