import { Fault, toFault } from "#base/fault.ts";
import { readDuration } from "./duration.ts";
import { unquote } from "./quote.ts";
import { readScriptNumber, readSeriesLine, type ScriptSeries } from "./script-series.ts";

/** What a script says to do, one after the other. A line that cannot be read is a command of its own: the rest still runs. */
export type Command = { readonly line: number } & (
  | { readonly kind: "clear" }
  | {
      readonly kind: "load";
      readonly stepMs: number;
      readonly series: readonly ScriptSeries[];
      readonly leftOut?: string;
    }
  | ({ readonly kind: "eval" } & Evaluation)
  | { readonly kind: "bad"; readonly words: string }
);

export interface Evaluation {
  readonly query: string;
  readonly time: EvaluationTime;
  readonly expected: Expectation;
}

export type EvaluationTime =
  | { readonly kind: "instant"; readonly atMs: number }
  | { readonly kind: "range"; readonly startMs: number; readonly endMs: number; readonly stepMs: number };

/** A message that must come, word for word or by a regular expression of RE2 found in it; neither: any. */
export interface ExpectedText {
  readonly message?: string;
  readonly regex?: string;
}

export interface Expectation {
  readonly fail?: ExpectedText;
  readonly ordered: boolean;
  readonly warn: readonly ExpectedText[];
  readonly info: readonly ExpectedText[];
  readonly noWarn: boolean;
  readonly noInfo: boolean;
  readonly value:
    | { readonly kind: "scalar"; readonly value: number }
    | { readonly kind: "string"; readonly value: string }
    /** `grid` is where the points of a range vector lie, when an instant query yields one. */
    | { readonly kind: "series"; readonly series: readonly ScriptSeries[]; readonly grid?: Grid };
}

export type Grid = Omit<Extract<EvaluationTime, { kind: "range" }>, "kind">;

/** Reads a script of load, clear and eval, in the language in which Prometheus tests its own engine. */
export function readScript(text: string): Command[] {
  const lines = text.split("\n").map((line) => (line.trim().startsWith("#") ? "" : line.trim()));
  const commands: Command[] = [];
  for (let i = 0; i < lines.length; ) {
    let end = i + 1;
    if (/^(?:load|eval)/i.test(lines[i] ?? "")) while ((lines[end] ?? "") !== "") end++;
    if (lines[i] !== "") commands.push(readCommand(lines.slice(i, end), i + 1));
    i = end;
  }
  return commands;
}

/** A command of its first line and those that belong to it. */
function readCommand(lines: readonly string[], line: number): Command {
  const head = lines[0] ?? "";
  try {
    if (/^clear$/i.test(head)) return { kind: "clear", line };
    if (/^load/i.test(head)) return readLoad(head, lines, line);
    if (/^eval/i.test(head)) return { kind: "eval", line, ...readEval(head, lines.slice(1), line) };
  } catch (thrown) {
    return { kind: "bad", line, words: toFault(thrown).message };
  }
  return { kind: "bad", line, words: `expected load, clear or eval, found ${head}` };
}

function readLoad(head: string, lines: readonly string[], line: number): Command {
  const [, converted, step] = /^load(_with_nhcb)?\s+(\S+)$/i.exec(head) ?? [];
  if (step === undefined) throw new Fault("invalid", `expected load and a step, such as load 5m, found ${head}`);
  const isStart = (text: string) => /^\S*@st\s/.test(text);
  const series = lines.flatMap((text, i) => (i === 0 || isStart(text) ? [] : [readSeriesLine(text, line + i)]));
  const leftOut = lines.some(isStart) ? "start timestamps" : converted && "native histograms made of classic ones";
  return { kind: "load", line, stepMs: readTime(step), series, ...(leftOut && { leftOut }) };
}

const instantLine = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)$/;
const rangeLine = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;

function readEval(head: string, lines: readonly string[], line: number): Evaluation {
  const instant = instantLine.exec(head);
  if (instant !== null) {
    const [, mode, at = "", query = ""] = instant;
    return { query, time: { kind: "instant", atMs: readTime(at) }, expected: readExpectation(mode, lines, line + 1) };
  }
  const [, mode, from = "", to = "", step = "", query] = rangeLine.exec(head) ?? [];
  if (query === undefined) {
    const words = "expected eval instant at TIME QUERY or eval range from TIME to TIME step STEP QUERY";
    throw new Fault("invalid", `${words}, found ${head}`);
  }
  const time = { kind: "range", startMs: readTime(from), endMs: readTime(to), stepMs: readTime(step) } as const;
  return { query, time, expected: readExpectation(mode, lines, line + 1) };
}

interface Draft {
  fail?: ExpectedText;
  ordered: boolean;
  warn: ExpectedText[];
  info: ExpectedText[];
  noWarn: boolean;
  noInfo: boolean;
  scalar?: number;
  string?: string;
  series: ScriptSeries[];
  grid?: Grid;
}

function readExpectation(mode: string | undefined, lines: readonly string[], firstLine: number): Expectation {
  const draft: Draft = { ordered: mode === "ordered", warn: [], info: [], noWarn: false, noInfo: false, series: [] };
  if (mode === "fail") draft.fail = {};
  if (mode === "warn") draft.warn.push({});
  if (mode === "info") draft.info.push({});
  for (const [i, text] of lines.entries()) readExpected(draft, text, firstLine + i);
  const { scalar, string, series, grid, ...rest } = draft;
  if (scalar !== undefined) return { ...rest, value: { kind: "scalar", value: scalar } };
  if (string !== undefined) return { ...rest, value: { kind: "string", value: string } };
  return { ...rest, value: { kind: "series", series, ...(grid && { grid }) } };
}

function readExpected(draft: Draft, text: string, line: number): void {
  const old = /^expected_fail_(message|regexp)\s+(.+)$/.exec(text);
  if (old !== null) {
    draft.fail = old[1] === "message" ? { message: old[2] ?? "" } : { regex: old[2] ?? "" };
    return;
  }
  const number = readScriptNumber(text);
  if (/^expect\s/.test(text)) readExpectLine(draft, text);
  else if (number === undefined) draft.series.push(readSeriesLine(text, line));
  else draft.scalar = number;
}

function readExpectLine(draft: Draft, text: string): void {
  const [, from, to, step] = /^expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined && step !== undefined) {
    draft.grid = { startMs: readTime(from), endMs: readTime(to), stepMs: readTime(step) };
    return;
  }
  const literal = /^expect\s+string\s+(["'`])(.*)\1$/.exec(text);
  if (literal !== null) {
    draft.string = readText(literal[2] ?? "", literal[1] ?? "");
    return;
  }
  const pattern = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;
  const [, what, how, words = ""] = pattern.exec(text) ?? [];
  if (what === undefined) throw new Fault("invalid", `this expectation is not understood: ${text}`);
  const wanted: ExpectedText =
    how === "msg" ? { message: words.trim() } : how === "regex" ? { regex: words.trim() } : {};
  if (what === "ordered") draft.ordered = true;
  else if (what === "no_warn") draft.noWarn = true;
  else if (what === "no_info") draft.noInfo = true;
  else if (what === "fail") draft.fail = wanted;
  else draft[what === "warn" ? "warn" : "info"].push(wanted);
}

function readText(body: string, quote: string): string {
  if (quote === "`") return body;
  const read = unquote(body, quote);
  if (read.kind === "text") return read.value;
  throw new Fault("invalid", read.words);
}

/** A time as a duration since the epoch, or 0. */
function readTime(text: string): number {
  if (text === "0") return 0;
  const read = /^(?:[0-9]+(?:ms|[smhdwy]))+$/.test(text) ? readDuration(text) : undefined;
  if (read?.kind === "duration") return read.ms;
  throw new Fault("invalid", read?.words ?? `${text} is no time: expected a duration such as 5m`);
}
