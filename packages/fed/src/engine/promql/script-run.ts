import { isFault } from "#base/fault.ts";
import { type Labels, labelsKey, labelsOf, labelsToRecord, metricName } from "../series/labels.ts";
import { compileMatchers } from "../series/matcher.ts";
import type { Queryable } from "../series/queryable.ts";
import { type Series, setStale } from "../series/series.ts";
import type { Expr } from "./ast.ts";
import { parse } from "./parse.ts";
import { print } from "./print.ts";
import { problemOf } from "./problem.ts";
import type { Answer, Result } from "./result.ts";
import { type Command, type Evaluation, type EvaluationTime, readScript } from "./script.ts";
import { compareFailure, compareResult } from "./script-compare.ts";
import type { ScriptSeries } from "./script-series.ts";
import { pinned } from "./script-variant.ts";
import { walk } from "./walk.ts";

/** Evaluates a query on the series of a script: look-back 5 minutes, names dropped at the end, step of subqueries 1 minute. */
export type Evaluate = (request: EvaluateRequest, signal: AbortSignal) => Promise<Result>;

export interface EvaluateRequest {
  /** The text, for the places in warnings. */
  readonly query: string;
  readonly expr: Expr;
  readonly time: EvaluationTime;
  readonly queryable: Queryable;
}

/** Where `load` puts its series. */
export interface ScriptStore {
  /** Fault `invalid` when it does not take them: another value is there already. */
  append(series: readonly Series[]): Promise<void>;
  clear(): Promise<void>;
  readonly queryable: Queryable;
}

export interface ScriptNeeds {
  readonly evaluate: Evaluate;
  readonly store: ScriptStore;
  /** Asks each instant query in three more ways that must yield the same: within a range, and pinned by `@` at other times. */
  readonly thorough?: boolean;
  readonly signal: AbortSignal;
}

export interface ScriptReport {
  readonly passed: number;
  /** All that were counted: what is left out is not. */
  readonly total: number;
  readonly failures: readonly ScriptCase[];
  /** Cases that need what is left out here by choice; `words` say what. */
  readonly leftOut: readonly ScriptCase[];
}

export interface ScriptCase {
  /** Counted from 1. */
  readonly line: number;
  readonly query: string;
  readonly words: string;
}

interface Run {
  readonly needs: ScriptNeeds;
  readonly failures: ScriptCase[];
  readonly leftOut: ScriptCase[];
  /** Series that would hold native histograms, of what is loaded. */
  histograms: Labels[];
  /** Why all that is evaluated until the next `clear` is left out. */
  tainted: string | undefined;
  total: number;
}

/** Runs a script from its begin to its end, whatever fails. Faults: what the store throws. */
export async function runScript(text: string, needs: ScriptNeeds): Promise<ScriptReport> {
  const run: Run = { needs, failures: [], leftOut: [], histograms: [], tainted: undefined, total: 0 };
  await needs.store.clear();
  for (const command of readScript(text)) {
    needs.signal.throwIfAborted();
    await runCommand(run, command);
  }
  const { failures, leftOut, total } = run;
  return { passed: total - failures.length, total, failures, leftOut };
}

async function runCommand(run: Run, command: Command): Promise<void> {
  if (command.kind === "clear") {
    await run.needs.store.clear();
    run.histograms = [];
    run.tainted = undefined;
    return;
  }
  if (command.kind === "load") return load(run, command);
  if (command.kind === "bad") {
    run.total++;
    run.failures.push({ line: command.line, query: "", words: command.words });
    return;
  }
  const { line, query } = command;
  const outcome = await judge(run, command);
  if (outcome.kind === "left out") run.leftOut.push({ line, query, words: outcome.words });
  else run.total++;
  if (outcome.kind === "failed") run.failures.push({ line, query, words: outcome.words });
}

async function load(run: Run, command: Extract<Command, { kind: "load" }>): Promise<void> {
  if (command.leftOut === "start timestamps") run.tainted = command.leftOut;
  if (command.leftOut !== undefined) run.histograms.push(...command.series.flatMap(convertedFrom));
  run.histograms.push(...command.series.filter((one) => one.histogram).map((one) => one.labels));
  // Of two lines for one series in one load the later one counts.
  const plain = new Map(command.series.map((one) => [labelsKey(one.labels), one]));
  const series = [...plain.values()].filter((one) => !one.histogram).map((one) => seriesOf(one, command.stepMs));
  try {
    await run.needs.store.append(series);
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "invalid") throw thrown;
    run.total++;
    run.failures.push({ line: command.line, query: "", words: thrown.message });
  }
}

function seriesOf({ labels, points }: ScriptSeries, stepMs: number): Series {
  const there = points.map((point, i) => ({ point, timeMs: i * stepMs })).filter(({ point }) => point !== "none");
  const times = Float64Array.from(there, ({ timeMs }) => timeMs);
  const values = Float64Array.from(there, ({ point }) => (typeof point === "number" ? point : Number.NaN));
  for (const [i, { point }] of there.entries()) if (point === "stale") setStale(values, i);
  return { labels, times, values };
}

/** The native histogram that Prometheus would make of a classic one. */
function convertedFrom({ labels }: ScriptSeries): Labels[] {
  const { [metricName]: name = "", le: _, ...rest } = labelsToRecord(labels);
  const base = name.replace(/_(?:bucket|count|sum)$/, "");
  return base === name ? [] : [labelsOf({ ...rest, [metricName]: base })];
}

type Outcome = { readonly kind: "passed" } | { readonly kind: "failed" | "left out"; readonly words: string };

async function judge(run: Run, evaluation: Evaluation): Promise<Outcome> {
  const { query, expected } = evaluation;
  if (run.tainted !== undefined) return { kind: "left out", words: run.tainted };
  if (expected.value.kind === "series" && expected.value.series.some((one) => one.histogram)) {
    return { kind: "left out", words: "expects native histograms" };
  }
  const parsed = parseOne(query);
  if (parsed.kind === "experimental") return { kind: "left out", words: parsed.words };
  if (parsed.kind === "fault") return failedIf(compareFailure(expected, parsed.fault));
  if (readsAny(parsed.expr, run.histograms)) return { kind: "left out", words: "reads native histograms" };
  const first = await judgeOnce(run, evaluation, parsed.expr);
  return first.kind === "passed" && run.needs.thorough ? judgeVariants(run, evaluation, parsed.expr) : first;
}

type Parsed =
  | { readonly kind: "expr"; readonly expr: Expr }
  | { readonly kind: "experimental"; readonly words: string }
  | { readonly kind: "fault"; readonly fault: unknown };

function parseOne(query: string): Parsed {
  try {
    return { kind: "expr", expr: parse(query) };
  } catch (fault) {
    const problem = isFault(fault) ? problemOf(fault) : undefined;
    return problem?.leftOut === undefined ? { kind: "fault", fault } : { kind: "experimental", words: problem.words };
  }
}

function failedIf(words: string | undefined): Outcome {
  return words === undefined ? { kind: "passed" } : { kind: "failed", words };
}

function readsAny(expr: Expr, series: readonly Labels[]): boolean {
  if (series.length === 0) return false;
  for (const one of walk(expr)) {
    if (one.kind === "vector" && series.some(compileMatchers(one.matchers))) return true;
  }
  return false;
}

async function judgeOnce(run: Run, evaluation: Evaluation, expr: Expr): Promise<Outcome> {
  const { query, expected, time } = evaluation;
  const { evaluate, store, signal } = run.needs;
  let result: Result;
  try {
    result = await evaluate({ query, expr, time, queryable: store.queryable }, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return failedIf(compareFailure(expected, thrown));
  }
  if (expected.fail !== undefined) return { kind: "failed", words: "expected to fail, but it did not" };
  return failedIf(compareResult(expected, result, time));
}

const minuteMs = 60_000;

/** The same query in other ways: in the middle of a range of three steps, and pinned to its moment at others. */
async function judgeVariants(run: Run, evaluation: Evaluation, expr: Expr): Promise<Outcome> {
  const { time, expected } = evaluation;
  if (time.kind === "range") return { kind: "passed" };
  const pin = pinned(expr, time.atMs);
  const moments =
    time.atMs === 0 ? [-1000, 0, 1000] : [-10, 0, 0.2, 1, 10].map((factor) => Math.trunc(factor * time.atMs));
  for (const atMs of pin === undefined ? [] : moments) {
    const variant: Evaluation = { ...evaluation, query: print(pin as Expr), time: { kind: "instant", atMs } };
    const outcome = await judgeOnce(run, withoutPlaces(variant), parse(variant.query));
    if (outcome.kind === "failed")
      return { kind: "failed", words: `as ${variant.query} at ${atMs} ms: ${outcome.words}` };
  }
  const plain = expected.value.kind !== "string" && !(expected.value.kind === "series" && expected.value.grid);
  if (!plain || expected.ordered || expected.fail !== undefined) return { kind: "passed" };
  return judgeInRange(run, evaluation, expr, time.atMs);
}

/** A query that is written otherwise has its warnings elsewhere. */
function withoutPlaces(evaluation: Evaluation): Evaluation {
  const { expected } = evaluation;
  const any = (texts: readonly unknown[]) => (texts.length === 0 ? [] : [{}]);
  return { ...evaluation, expected: { ...expected, warn: any(expected.warn), info: any(expected.info) } };
}

async function judgeInRange(run: Run, evaluation: Evaluation, expr: Expr, atMs: number): Promise<Outcome> {
  const { evaluate, store, signal } = run.needs;
  const time = { kind: "range", startMs: atMs - minuteMs, endMs: atMs + minuteMs, stepMs: minuteMs } as const;
  const { query, expected } = evaluation;
  try {
    const { answer } = await evaluate({ query, expr, time, queryable: store.queryable }, signal);
    const middle = middleOf(answer, atMs, expected.value.kind === "scalar");
    const bare: Evaluation["expected"] = { ...expected, warn: [], info: [], noWarn: false, noInfo: false };
    const words = compareResult(bare, { answer: middle, warnings: [], infos: [] }, evaluation.time);
    return words === undefined ? { kind: "passed" } : { kind: "failed", words: `within a range: ${words}` };
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: "failed", words: `within a range: ${compareFailure(expected, thrown)}` };
  }
}

/** What stands at the second of three steps, as an instant query would yield it. */
function middleOf(answer: Answer, atMs: number, scalar: boolean): Answer {
  if (answer.kind !== "matrix") return answer;
  const there = answer.columns.filter(({ present }) => present[1] === 1);
  const points = there.map(({ labels, values }) => ({ labels, value: values[1] as number }));
  if (scalar) return { kind: "scalar", atMs, value: points[0]?.value ?? Number.NaN };
  return { kind: "vector", atMs, points };
}
