import { labelValue, metricName } from "../../series/labels.ts";
import type { Call, Expr, MatrixSelector, Subquery } from "../ast.ts";
import { quote } from "../quote.ts";
import { absentLabels } from "./absent.ts";
import { coarseFunctions, fallsOf, reachBack, samplesIn } from "./coarse.ts";
import { dropName, streamMerged } from "./name.ts";
import { checkQuantile } from "./note.ts";
import { bare, type Draft, emptyDraft, type Frame, isEmpty, momentMs, type Query, type Visit } from "./query.ts";
import { isRange, openRange, type Range } from "./range.ts";
import type { Samples } from "./samples.ts";
import { findResets, type Window, type WindowFunction, windowFunctions } from "./window.ts";

/** A call of a function over a range: one series in, one out, the windows slide over its samples. */
interface Over {
  readonly query: Query;
  readonly frame: Frame;
  readonly call: Call;
  readonly range: Range;
  readonly function: WindowFunction;
  /** The scalar argument, for each step. */
  readonly params: Float64Array | undefined;
}

export function isOverRange(call: Call): boolean {
  return Object.hasOwn(windowFunctions, call.func);
}

export async function streamOver(query: Query, call: Call, frame: Frame, visit: Visit): Promise<void> {
  const args = call.args.map(bare);
  const arg = args.find(isRange) as MatrixSelector | Subquery;
  const over: Over = {
    query,
    frame,
    call,
    range: openRange(query, arg, frame, call.func),
    function: windowFunctions[call.func] as WindowFunction,
    params: await paramsOf(query, args, frame),
  };
  if (call.func === "absent_over_time") return await streamAbsent(over, arg, visit);
  const read = (take: Visit) =>
    over.range.read((samples) =>
      slideAll(over, samples, (draft) => {
        if (isEmpty(draft)) return;
        noteOver(over, draft, arg, args);
        if (call.func !== "last_over_time") dropName(query, draft);
        take(draft);
      }),
    );
  const mayCollide = call.func !== "last_over_time" && !query.delayNames && !hasOneName(arg);
  return mayCollide ? await streamMerged(query, frame, true, read, visit) : await read(visit);
}

async function paramsOf(query: Query, args: readonly Expr[], frame: Frame): Promise<Float64Array | undefined> {
  const param = args.find((arg) => !isRange(arg));
  return param === undefined ? undefined : await query.scalar(param, frame);
}

/** Only one metric's name can come out: nothing becomes the same when the name is dropped. */
function hasOneName(arg: MatrixSelector | Subquery): boolean {
  return arg.kind === "matrix" && arg.selector.matchers.some(({ name, kind }) => name === metricName && kind === "=");
}

/** What is worth saying of a series that came out. */
function noteOver({ query, call, params }: Over, draft: Draft, arg: Expr, args: readonly Expr[]): void {
  if (call.func === "rate" || call.func === "increase") {
    const name = labelValue(draft.labels, metricName);
    if (name === "" || /_(?:total|sum|count|bucket)$/.test(name)) return;
    const words = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
    query.notes.info(`${words} ${quote(name)}`, arg.span);
  }
  if (call.func !== "quantile_over_time" || params === undefined) return;
  const span = (args[0] ?? arg).span;
  for (let i = 0; i < params.length; i++) {
    if (draft.present[i] === 1) checkQuantile(query.notes, params[i] as number, span);
  }
}

/** Work, counted in samples looked at, after which it is asked whether others should have a turn. */
const sliceSamples = 100_000;

function slideAll(over: Over, samples: Samples, done: Visit): Promise<void> | undefined {
  const { frame, query } = over;
  const draft = emptyDraft(samples.labels, frame);
  draft.dropName = samples.dropName;
  const window = openWindow(over, samples);
  const next = samples.coarse === undefined ? slide : slideCoarse;
  const first = next(over, window, draft, 0);
  if (first < frame.steps) return goOn();
  done(draft);
  return undefined;

  async function goOn(): Promise<void> {
    for (let step = first; step < frame.steps; step = next(over, window, draft, step)) {
      if (query.budget.due) await query.budget.rest();
    }
    done(draft);
  }
}

function openWindow({ range, function: { of } }: Over, samples: Samples): Window {
  const falls = fallsOf(samples);
  const counts = of === windowFunctions.rate?.of || of === windowFunctions.increase?.of;
  const resets = counts || of === windowFunctions.resets?.of ? findResets(samples.values) : [];
  return { samples, resets, falls, rangeMs: range.rangeMs, from: 0, to: 0, endMs: 0, atMs: 0, param: 0 };
}

/** Fills steps from one on and says which is next. */
function slide(over: Over, window: Window, draft: Draft, begin: number): number {
  const { frame, range, params } = over;
  const { least, of } = over.function;
  const { values, present } = draft;
  const { times } = window.samples;
  const count = times.length;
  let work = 0;
  let step = begin;
  for (; step < frame.steps && work < sliceSamples; step++) {
    const endMs = range.end.at(step);
    const startMs = endMs - range.rangeMs;
    let { from, to } = window;
    while (to < count && (times[to] as number) <= endMs) to++;
    while (from < to && (times[from] as number) <= startMs) from++;
    window.from = from;
    window.to = to;
    work += to - from + 1;
    if (to - from < least) continue;
    window.endMs = endMs;
    window.atMs = momentMs(frame, step);
    if (params !== undefined) window.param = params[step] as number;
    values[step] = of(window);
    present[step] = 1;
  }
  return step;
}

/** As `slide`, over summaries with samples behind them. */
function slideCoarse(
  { frame, range, params, call, function: { least, of } }: Over,
  window: Window,
  draft: Draft,
  begin: number,
): number {
  const { times, coarse } = window.samples;
  const special = coarseFunctions[call.func];
  let work = 0;
  let step = begin;
  for (; step < frame.steps && work < sliceSamples; step++) {
    const endMs = range.end.at(step);
    let { from, to } = window;
    while (to < times.length && (times[to] as number) <= endMs) to++;
    while (from < to && (times[from] as number) <= endMs - range.rangeMs) from++;
    window.from = from;
    window.to = to;
    window.from = reachBack(window, endMs);
    work += to - window.from + 1;
    if (to === window.from || samplesIn(window) < least) continue;
    window.endMs = endMs;
    window.atMs = momentMs(frame, step);
    if (params !== undefined) window.param = params[step] as number;
    const isRaw = coarse === undefined || window.from >= coarse.entries;
    draft.values[step] = special === undefined || isRaw ? of(window) : special(window, coarse);
    draft.present[step] = 1;
  }
  return step;
}

async function streamAbsent(over: Over, arg: Expr, visit: Visit): Promise<void> {
  const absent = emptyDraft(absentLabels(arg), over.frame);
  absent.values.fill(1);
  absent.present.fill(1);
  await over.range.read((samples) =>
    slideAll(over, samples, ({ present }) => {
      for (let i = 0; i < present.length; i++) if (present[i] === 1) absent.present[i] = 0;
    }),
  );
  if (!isEmpty(absent)) visit(absent);
}
