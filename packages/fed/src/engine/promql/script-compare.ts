import { isFault } from "#base/fault.ts";
import { type Labels, labelsKey } from "../series/labels.ts";
import { compilePattern } from "../series/pattern.ts";
import { compareLabels, printLabels } from "./evaluate/name.ts";
import { quote } from "./quote.ts";
import type { Answer, Result } from "./result.ts";
import type { EvaluationTime, Expectation, ExpectedText, Grid } from "./script.ts";
import type { ScriptPoint, ScriptSeries } from "./script-series.ts";

/** How an answer differs from what a script expects; undefined when it does not. */
export function compareResult(expected: Expectation, result: Result, time: EvaluationTime): string | undefined {
  return compareNotes(expected, result) ?? compareAnswer(expected, result.answer, time);
}

/** How a failure differs from the expected one. */
export function compareFailure(expected: Expectation, thrown: unknown): string | undefined {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (expected.fail === undefined) return `the query failed: ${message}${hintOf(thrown)}`;
  return matches(expected.fail, message)
    ? undefined
    : `expected to fail with ${wordsOf(expected.fail)}, failed with: ${message}`;
}

function hintOf(thrown: unknown): string {
  return isFault(thrown) && thrown.code === "internal" ? ` (${thrown.stack ?? ""})` : "";
}

function compareNotes(expected: Expectation, { warnings, infos }: Result): string | undefined {
  return (
    compareTexts("a warning", expected.warn, warnings) ??
    compareTexts("an info", expected.info, infos) ??
    (expected.noWarn && warnings.length > 0 ? `expected no warning, found: ${warnings.join("; ")}` : undefined) ??
    (expected.noInfo && infos.length > 0 ? `expected no info, found: ${infos.join("; ")}` : undefined)
  );
}

/** Each wanted text is there, and nothing else when any is wanted. */
function compareTexts(what: string, wanted: readonly ExpectedText[], found: readonly string[]): string | undefined {
  if (wanted.length === 0) return undefined;
  const missing = wanted.find((one) => !found.some((text) => matches(one, text)));
  if (missing !== undefined) return `expected ${what} with ${wordsOf(missing)}, found: ${found.join("; ") || "none"}`;
  const extra = found.find((text) => !wanted.some((one) => matches(one, text)));
  return extra === undefined ? undefined : `did not expect ${what}: ${extra}`;
}

function matches({ message, regex }: ExpectedText, text: string): boolean {
  if (message !== undefined) return message === text;
  return regex === undefined || compilePattern(`.*(?:${regex}).*`).test(text);
}

function wordsOf({ message, regex }: ExpectedText): string {
  return message !== undefined ? quote(message) : regex !== undefined ? `/${regex}/` : "any text";
}

function compareAnswer(
  { value: expected, ordered }: Expectation,
  answer: Answer,
  time: EvaluationTime,
): string | undefined {
  if (answer.kind === "string") {
    if (expected.kind !== "string") return `did not expect the string ${quote(answer.value)}`;
    const same = expected.value === answer.value;
    return same ? undefined : `expected the string ${quote(expected.value)}, found ${quote(answer.value)}`;
  }
  if (answer.kind === "scalar") {
    if (expected.kind !== "scalar") return `did not expect the scalar ${answer.value}`;
    const same = isNear(expected.value, answer.value);
    return same ? undefined : `expected the scalar ${expected.value}, found ${answer.value}`;
  }
  if (expected.kind !== "series") return `expected a ${expected.kind}, found a ${answer.kind}`;
  if (answer.kind === "vector") {
    const found = answer.points.map(({ labels, value }) => ({ labels, cells: [[answer.atMs, value] as const] }));
    const wanted = expected.series.map((one) => cellsOf(one, { startMs: answer.atMs, endMs: answer.atMs, stepMs: 1 }));
    return compareSeries(wanted, found) ?? (ordered ? compareOrder(wanted, found) : undefined);
  }
  if (ordered) return "expected an order, found a range of time, which has none";
  const grid = expected.grid ?? (time.kind === "range" ? time : { startMs: time.atMs, endMs: time.atMs, stepMs: 1 });
  const long = expected.series.find((one) => (one.points.length - 1) * grid.stepMs > grid.endMs - grid.startMs);
  if (long !== undefined) return `line ${long.line} expects more points than the range has`;
  const found = foundSeries(answer);
  const astray = answer.kind === "matrix" ? found.find((one, i) => isBefore(one, found[i - 1])) : undefined;
  if (astray !== undefined) return `${printLabels(astray.labels)} is not in the order of labels`;
  return compareSeries(
    expected.series.map((one) => cellsOf(one, grid)),
    found,
  );
}

interface Cells {
  readonly labels: Labels;
  /** Times and values. */
  readonly cells: readonly (readonly [number, ScriptPoint])[];
}

function cellsOf({ labels, points }: ScriptSeries, { startMs, stepMs }: Grid): Cells {
  const cells = points.map((point, i) => [startMs + i * stepMs, point] as const);
  return { labels, cells: cells.filter(([, point]) => point !== "none") };
}

function isBefore(one: Cells, last: Cells | undefined): boolean {
  return last !== undefined && compareLabels(one.labels, last.labels) < 0;
}

function foundSeries(answer: Extract<Answer, { kind: "matrix" | "samples" }>): Cells[] {
  if (answer.kind === "samples") {
    return answer.series.map(({ labels, times, values }) => ({
      labels,
      cells: Array.from(times, (time, i) => [time, values[i] as number] as const),
    }));
  }
  return answer.columns.map(({ labels, values, present }) => ({
    labels,
    cells: Array.from(values, (value, i) => [answer.startMs + i * answer.stepMs, value] as const).filter(
      (_, i) => present[i] === 1,
    ),
  }));
}

function compareSeries(expected: readonly Cells[], found: readonly Cells[]): string | undefined {
  const wanted = new Map(expected.map((one) => [labelsKey(one.labels), one]));
  const seen = new Set<string>();
  for (const one of found) {
    const key = labelsKey(one.labels);
    const want = wanted.get(key);
    if (want === undefined) return `did not expect ${printLabels(one.labels)} ${printCells(one)}`;
    if (seen.has(key)) return `found ${printLabels(one.labels)} twice`;
    seen.add(key);
    if (!sameCells(want, one))
      return `expected ${printLabels(one.labels)} ${printCells(want)}, found ${printCells(one)}`;
  }
  const missing = expected.find((one) => !seen.has(labelsKey(one.labels)));
  return missing === undefined
    ? undefined
    : `expected ${printLabels(missing.labels)} ${printCells(missing)}, found none`;
}

function sameCells(a: Cells, b: Cells): boolean {
  if (a.cells.length !== b.cells.length) return false;
  return a.cells.every(([time, point], i) => {
    const [otherTime, other] = b.cells[i] as readonly [number, ScriptPoint];
    return time === otherTime && typeof point === "number" && typeof other === "number" && isNear(point, other);
  });
}

function compareOrder(expected: readonly Cells[], found: readonly Cells[]): string | undefined {
  const [wanted, got] = [expected, found].map((list) => list.map((one) => printLabels(one.labels)).join(" "));
  return wanted === got ? undefined : `expected the order ${wanted}, found ${got}`;
}

const least = 2.2250738585072014e-308;
const tolerance = 1e-6;

/** Equal, or different by less than a millionth of their sum; NaN is like NaN. */
function isNear(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < least) return difference < tolerance * least;
  return difference / Math.min(sum, Number.MAX_VALUE) < tolerance;
}

function printCells({ cells }: Cells): string {
  const shown = cells.slice(0, 20).map(([time, point]) => `${point}@${time / 1000}`);
  return shown.length === 0 ? "nothing" : shown.join(" ") + (cells.length > 20 ? " …" : "");
}
