import { Fault } from "#base/fault.ts";
import type { Call, Expr } from "../ast.ts";
import { streamAbsent } from "./absent.ts";
import { streamHistogram } from "./histogram.ts";
import { calendarFunctions, clampTo, mathFunctions, roundTo } from "./math.ts";
import { dropName, streamMerged } from "./name.ts";
import { isOverRange, streamOver } from "./over.ts";
import {
  bare,
  collect,
  type Draft,
  eachInTurn,
  emptyDraft,
  type Frame,
  isEmpty,
  momentMs,
  type Query,
  type Visit,
} from "./query.ts";
import { streamJoined, streamReplaced } from "./relabel.ts";
import { streamSelector } from "./select.ts";
import { sortInTurns } from "./sort.ts";

/** A function's instant vector. */
export async function streamCall(query: Query, call: Call, frame: Frame, visit: Visit): Promise<void> {
  const { func } = call;
  if (isOverRange(call)) return await streamOver(query, call, frame, visit);
  const calendar = calendarFunctions[func];
  if (calendar !== undefined && call.args.length === 0) return visit(momentsBy(frame, calendar));
  const simple = calendar ?? mathFunctions[func];
  const change = simple === undefined ? await changeOf(query, call, frame) : { of: simple };
  const first = call.args[0] as Expr;
  if (change !== undefined) return await streamChanged(query, first, frame, change, visit);
  switch (func) {
    case "absent":
      return await streamAbsent(query, first, frame, visit);
    case "histogram_quantile":
    case "histogram_fraction":
      return await streamHistogram(query, call, frame, visit);
    // What these tell of native histograms there is not; floats they pass over.
    case "histogram_avg":
    case "histogram_count":
    case "histogram_stddev":
    case "histogram_stdvar":
    case "histogram_sum":
      return await query.stream(first, frame, () => undefined);
    case "label_join":
      return await streamJoined(query, call, frame, visit);
    case "label_replace":
      return await streamReplaced(query, call, frame, visit);
    case "sort":
      return await streamSorted(query, call, frame, (a, b) => a - b, visit);
    case "sort_desc":
      return await streamSorted(query, call, frame, (a, b) => b - a, visit);
    case "timestamp":
      return await streamTimes(query, first, frame, visit);
    case "vector":
      return visit({ ...emptyDraft([], frame), values: await query.scalar(first, frame), present: allPresent(frame) });
    default:
      throw new Fault("unsupported", `the function ${func} is not known here`);
  }
}

/** `time()`, `pi()`, `scalar(v)`: one value for each step. */
export async function scalarCall(query: Query, call: Call, frame: Frame): Promise<Float64Array<ArrayBuffer>> {
  const values = new Float64Array(frame.steps);
  if (call.func === "pi") return values.fill(Math.PI);
  if (call.func === "time") {
    for (let i = 0; i < frame.steps; i++) values[i] = momentMs(frame, i) / 1000;
    return values;
  }
  if (call.func !== "scalar") throw new Fault("internal", `${call.func} yields no scalar`);
  const seen = new Uint8Array(frame.steps);
  values.fill(Number.NaN);
  await query.stream(call.args[0] as Expr, frame, (draft) => {
    for (let i = 0; i < frame.steps; i++) {
      if (draft.present[i] === 0) continue;
      values[i] = seen[i] === 0 ? (draft.values[i] as number) : Number.NaN;
      seen[i] = 1;
    }
  });
  return values;
}

interface Change {
  of(value: number, step: number): number;
  /** 1 for steps at which nothing comes out. */
  readonly voids?: Uint8Array | undefined;
}

/** Functions of a number with further arguments. */
async function changeOf(query: Query, call: Call, frame: Frame): Promise<Change | undefined> {
  const at = async (index: number, otherwise: number) => {
    const arg = call.args[index];
    return arg === undefined ? new Float64Array(frame.steps).fill(otherwise) : await query.scalar(arg, frame);
  };
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (call.func === "round") {
    const nearest = await at(1, 1);
    return { of: (value, step) => roundTo(value, nearest[step] as number) };
  }
  if (!call.func.startsWith("clamp")) return undefined;
  const min = call.func === "clamp_max" ? await at(9, low) : await at(1, low);
  const max = call.func === "clamp_min" ? await at(9, high) : await at(call.func === "clamp" ? 2 : 1, high);
  return {
    of: (value, step) => clampTo(value, min[step] as number, max[step] as number),
    voids: Uint8Array.from(min, (least, step) => ((max[step] as number) < least ? 1 : 0)),
  };
}

async function streamChanged(query: Query, arg: Expr, frame: Frame, change: Change, visit: Visit): Promise<void> {
  const source = (take: Visit) =>
    query.stream(arg, frame, (draft) => {
      const { values, present } = draft;
      for (let i = 0; i < values.length; i++) {
        if (change.voids?.[i] === 1) present[i] = 0;
        else if (present[i] === 1) values[i] = change.of(values[i] as number, i);
      }
      dropName(query, draft);
      if (!isEmpty(draft)) take(draft);
    });
  await streamRenamed(query, arg, frame, source, visit);
}

/** Series whose names go away: where two could become the same they are put together first. */
export async function streamRenamed(
  query: Query,
  arg: Expr,
  frame: Frame,
  source: (visit: Visit) => Promise<void>,
  visit: Visit,
): Promise<void> {
  if (query.delayNames || hasOneName(arg)) return await source(visit);
  await streamMerged(query, frame, false, source, visit);
}

/** Whether all series of a vector bear one name, or none: quickly seen, `false` when it is not. */
function hasOneName(expr: Expr): boolean {
  switch (expr.kind) {
    case "paren":
    case "unary":
      return hasOneName(expr.expr);
    case "vector":
      return expr.matchers.some(({ name, kind }) => name === "__name__" && kind === "=");
    case "aggregation":
      return expr.param === undefined && !expr.grouping.labels.includes("__name__");
    case "call":
      return isOverRange(expr) ? expr.func !== "last_over_time" : Object.hasOwn(mathFunctions, expr.func);
    default:
      return false;
  }
}

async function streamTimes(query: Query, arg: Expr, frame: Frame, visit: Visit): Promise<void> {
  const inner = bare(arg);
  const source = (take: Visit) => {
    if (inner.kind === "vector") return streamSelector(query, inner, frame, renamed(query, take), true);
    const moments = momentsBy(frame, (seconds) => seconds).values;
    return query.stream(arg, frame, (draft) => {
      draft.values.set(moments);
      renamed(query, take)(draft);
    });
  };
  await streamRenamed(query, arg, frame, source, visit);
}

function renamed(query: Query, take: Visit): Visit {
  return (draft) => {
    dropName(query, draft);
    take(draft);
  };
}

/** Sorted by value at a single moment; over a range there is no order. NaN comes last. */
async function streamSorted(
  query: Query,
  call: Call,
  frame: Frame,
  compare: (a: number, b: number) => number,
  visit: Visit,
): Promise<void> {
  const arg = call.args[0] as Expr;
  if (frame.steps !== 1) {
    query.notes.warn("sort is ineffective for range queries since results are always ordered by labels", call.span);
    return await query.stream(arg, frame, visit);
  }
  const value = (draft: Draft) => draft.values[0] as number;
  const order = (a: Draft, b: Draft) => {
    const [left, right] = [value(a), value(b)];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    return left === right ? 0 : compare(left, right);
  };
  const drafts = await sortInTurns(await collect(query, arg, frame), order, query.budget);
  await eachInTurn(query, drafts, visit);
}

/** A series without labels of what a function makes of each step's own time. */
function momentsBy(frame: Frame, of: (seconds: number) => number): Draft {
  const draft = { ...emptyDraft([], frame), present: allPresent(frame) };
  for (let i = 0; i < frame.steps; i++) draft.values[i] = of(momentMs(frame, i) / 1000);
  return draft;
}

function allPresent(frame: Frame): Uint8Array<ArrayBuffer> {
  return new Uint8Array(frame.steps).fill(1);
}
