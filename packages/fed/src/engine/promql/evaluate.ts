import { type Clock, systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Queryable } from "../series/queryable.ts";
import type { Expr, MatrixSelector, Subquery } from "./ast.ts";
import { streamAggregation } from "./evaluate/aggregate.ts";
import { scalarBinary, streamBinary } from "./evaluate/binary.ts";
import { defaultLimits, type Limits, openBudget } from "./evaluate/budget.ts";
import { scalarCall, streamCall, streamRenamed } from "./evaluate/call.ts";
import { compareLabels, dropName, openMerger, withoutMetadata } from "./evaluate/name.ts";
import { openNotes } from "./evaluate/note.ts";
import { bare, type Draft, type Frame, type Query, type Visit } from "./evaluate/query.ts";
import { isRange, openRange } from "./evaluate/range.ts";
import { streamSelector } from "./evaluate/select.ts";
import { sortInTurns } from "./evaluate/sort.ts";
import { typeNames } from "./function.ts";
import type { Answer, Result } from "./result.ts";
import { typeOf } from "./type.ts";

/** When a query is evaluated, and how. Times are milliseconds since the epoch. */
export interface EvaluateOptions {
  readonly startMs: number;
  /** The last moment is the last step that is not after it. */
  readonly endMs: number;
  /** 0 for one moment, `startMs`: an instant query, which alone may yield a string or a range vector. */
  readonly stepMs: number;
  /** How old the newest sample may be that an instant selector takes; five minutes. */
  readonly lookbackMs?: number | undefined;
  /** Of a subquery that names no step; a minute. */
  readonly subqueryStepMs?: number | undefined;
  /**
   * Takes metrics' names away at the end of the query and not where an operation makes them wrong, so that later operations
   * still see them. Off, as in Prometheus, where it is the flag `promql-delayed-name-removal`; its test scripts have it on.
   */
  readonly delayNames?: boolean | undefined;
  /** The query as it was written: with it warnings and infos say where. */
  readonly text?: string | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Evaluates a query. Gives way to other work every few milliseconds. Faults: `invalid` in Prometheus' words (two series that
 * match one), `limited`, `timeout`, and what the store and the signal throw.
 */
export async function evaluate(
  expr: Expr,
  options: EvaluateOptions,
  queryable: Queryable,
  limits: Limits = defaultLimits,
  signal: AbortSignal = new AbortController().signal,
): Promise<Result> {
  signal.throwIfAborted();
  const instant = options.stepMs <= 0;
  const frame: Frame = {
    startMs: options.startMs,
    stepMs: instant ? 1 : options.stepMs,
    steps: instant ? 1 : Math.floor((options.endMs - options.startMs) / options.stepMs) + 1,
  };
  const query = openQuery(options, queryable, limits, signal);
  if (frame.steps < 1) return resultOf(query, { kind: "matrix", ...frame, steps: 0, columns: [] });
  return resultOf(query, instant ? await answerInstant(query, expr, frame) : await answerRange(query, expr, frame));
}

function openQuery(options: EvaluateOptions, queryable: Queryable, limits: Limits, signal: AbortSignal): Query {
  const query: Query = {
    startMs: options.startMs,
    endMs: options.stepMs <= 0 ? options.startMs : options.endMs,
    lookbackMs: options.lookbackMs ?? 300_000,
    subqueryStepMs: options.subqueryStepMs ?? 60_000,
    delayNames: options.delayNames ?? false,
    queryable,
    budget: openBudget(limits, options.clock ?? systemClock, signal),
    notes: openNotes(options.text),
    signal,
    stream: (expr, frame, visit) => stream(query, expr, frame, visit),
    scalar: (expr, frame) => scalar(query, expr, frame),
  };
  return query;
}

function resultOf({ notes: { warnings, infos } }: Query, answer: Answer): Result {
  return { answer, warnings, infos };
}

async function answerInstant(query: Query, expr: Expr, frame: Frame): Promise<Answer> {
  const inner = bare(expr);
  const atMs = frame.startMs;
  if (inner.kind === "string") return { kind: "string", atMs, value: inner.value };
  if (isRange(inner)) return await answerSamples(query, inner, frame);
  if (typeOf(inner) === "scalar") {
    const [value = Number.NaN] = await query.scalar(inner, frame);
    return { kind: "scalar", atMs, value };
  }
  const drafts = await answerDrafts(query, inner, frame);
  return { kind: "vector", atMs, points: drafts.map(({ labels, values }) => ({ labels, value: values[0] as number })) };
}

async function answerRange(query: Query, expr: Expr, frame: Frame): Promise<Answer> {
  const type = typeOf(expr);
  if (type === "string" || type === "matrix") {
    const words = `invalid expression type "${typeNames[type]}" for range query, must be Scalar or instant Vector`;
    throw new Fault("invalid", words, { hint: "Ask for one moment, or put a function such as rate() around it." });
  }
  if (type === "scalar") {
    const values = await query.scalar(expr, frame);
    return {
      kind: "matrix",
      ...frame,
      columns: [{ labels: [], values, present: new Uint8Array(frame.steps).fill(1) }],
    };
  }
  const drafts = await answerDrafts(query, expr, frame);
  const sorted = await sortInTurns(drafts, (a, b) => compareLabels(a.labels, b.labels), query.budget);
  const columns = sorted.map(({ labels, values, present }) => ({ labels, values, present }));
  return { kind: "matrix", ...frame, columns };
}

async function answerDrafts(query: Query, expr: Expr, frame: Frame): Promise<Draft[]> {
  const merger = openMerger();
  await query.stream(expr, frame, (draft) => {
    query.budget.hold(frame.steps);
    if (draft.dropName) draft.labels = withoutMetadata(draft.labels);
    draft.dropName = false;
    merger.add(draft);
  });
  return [...merger.drafts];
}

async function answerSamples(query: Query, expr: MatrixSelector | Subquery, frame: Frame): Promise<Answer> {
  const range = openRange(query, expr, frame, undefined);
  const found: Extract<Answer, { kind: "samples" }>["series"][number][] = [];
  await range.read(({ labels, dropName, times, values }) => {
    query.budget.hold(times.length);
    found.push({ labels: dropName ? withoutMetadata(labels) : labels, times, values });
    return undefined;
  });
  return { kind: "samples", series: found };
}

async function stream(query: Query, expr: Expr, frame: Frame, visit: Visit): Promise<void> {
  if (query.budget.due) await query.budget.rest();
  switch (expr.kind) {
    case "vector":
      return await streamSelector(query, expr, frame, visit);
    case "paren":
      return await query.stream(expr.expr, frame, visit);
    case "aggregation":
      return await streamAggregation(query, expr, frame, visit);
    case "call":
      return await streamCall(query, expr, frame, visit);
    case "binary":
      return await streamBinary(query, expr, frame, visit);
    case "unary":
      return expr.op === "+"
        ? await query.stream(expr.expr, frame, visit)
        : await streamNegated(query, expr.expr, frame, visit);
    default:
      throw new Fault("internal", `a ${expr.kind} yields no instant vector`);
  }
}

async function streamNegated(query: Query, expr: Expr, frame: Frame, visit: Visit): Promise<void> {
  const source = (take: Visit) =>
    query.stream(expr, frame, (draft) => {
      const { values } = draft;
      for (let i = 0; i < values.length; i++) values[i] = -(values[i] as number);
      dropName(query, draft);
      take(draft);
    });
  await streamRenamed(query, expr, frame, source, visit);
}

async function scalar(query: Query, expr: Expr, frame: Frame): Promise<Float64Array<ArrayBuffer>> {
  query.budget.hold(frame.steps);
  switch (expr.kind) {
    case "number":
      return new Float64Array(frame.steps).fill(expr.value);
    case "paren":
      return await query.scalar(expr.expr, frame);
    case "unary": {
      const values = await query.scalar(expr.expr, frame);
      return expr.op === "-" ? values.map((value) => -value) : values;
    }
    case "binary":
      return await scalarBinary(query, expr, frame);
    case "call":
      return await scalarCall(query, expr, frame);
    default:
      throw new Fault("internal", `a ${expr.kind} yields no scalar`);
  }
}
