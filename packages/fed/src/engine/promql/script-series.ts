import { Fault } from "#base/fault.ts";
import { type Labels, labelsOf, metricName } from "../series/labels.ts";
import { accept, type Cursor, expectOp, isOp, peek, take } from "./cursor.ts";
import { lex } from "./lex.ts";
import { readQuotedName } from "./parse-labels.ts";

/** A point of a script: nothing (`_`), the stale marker, or a value. */
export type ScriptPoint = number | "none" | "stale";

export interface ScriptSeries {
  /** Counted from 1. */
  readonly line: number;
  readonly labels: Labels;
  readonly points: readonly ScriptPoint[];
  /** Has a native histogram among its points; these are then no points. */
  readonly histogram: boolean;
}

const maxPoints = 1_000_000;

/** Reads `name{label="value"} 1 2+3x4 _ stale`. Fault `invalid`. */
export function readSeriesLine(text: string, line: number): ScriptSeries {
  const { metric, rest } = splitMetric(text);
  const points: ScriptPoint[] = [];
  let histogram = false;
  for (const item of rest.match(/(?:\{\{.*?\}\}|[^\s{])+|\{/g) ?? []) {
    if (item.startsWith("{{")) histogram = true;
    else addPoints(points, item);
    if (points.length > maxPoints) throw new Fault("invalid", `more than ${maxPoints} points in one line`);
  }
  return { line, labels: readMetric(metric), points, histogram };
}

/** The name and the labels, and what follows. */
function splitMetric(text: string): { metric: string; rest: string } {
  const pattern =
    /^[A-Za-z_:][A-Za-z0-9_:]*(?![A-Za-z0-9_:{])|^[A-Za-z_:]?[A-Za-z0-9_:]*\{(?:[^}"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\}/;
  const metric = pattern.exec(text)?.[0];
  if (metric === undefined) throw new Fault("invalid", `expected a series such as up{job="a"}, found ${text}`);
  return { metric, rest: text.slice(metric.length) };
}

function readMetric(text: string): Labels {
  const cursor: Cursor = { query: text, tokens: lex(text), at: 0, depth: 0, heights: new WeakMap() };
  const record: Record<string, string> = {};
  const first = peek(cursor);
  if (first.kind === "word") record[metricName] = take(cursor).text;
  if (!accept(cursor, "{")) return labelsOf(record);
  while (!accept(cursor, "}")) {
    const quoted = peek(cursor).kind === "string";
    const name = quoted ? readQuotedName(cursor, "label") : take(cursor).text;
    if (quoted && !isOp(peek(cursor), "=")) record[metricName] = name;
    else {
      expectOp(cursor, "=", `= after the label ${name}`);
      const value = take(cursor);
      if (value.kind !== "string") throw new Fault("invalid", `expected a value between quotes after ${name}=`);
      record[name] = value.value;
    }
    if (!isOp(peek(cursor), "}")) expectOp(cursor, ",", "`,` or `}` after a label");
  }
  return labelsOf(record);
}

const value = /^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|nan)/i;
const delta = /^[+-](?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|nan)/i;

/** `5`, `_`, `_x5`, `stale`, `1x3` or `2+3x2`. */
function addPoints(points: ScriptPoint[], item: string): void {
  const blank = /^_(?:x([0-9]+))?$/.exec(item);
  if (blank !== null) fill(points, Number(blank[1] ?? 1), () => "none");
  else if (item === "stale") points.push("stale");
  else addValues(points, item);
}

function addValues(points: ScriptPoint[], item: string): void {
  const start = value.exec(item)?.[0] ?? "";
  const rest = item.slice(start.length);
  const step = delta.exec(rest)?.[0] ?? "";
  const times = /^x([0-9]+)$/.exec(rest.slice(step.length))?.[1];
  if (start === "" || (rest !== "" && times === undefined)) {
    throw new Fault("invalid", `${item} is no point`, { hint: "Points are such as 5, 1+2x10, 3x4, _, _x3 or stale." });
  }
  let next = readScriptNumber(start) as number;
  const by = step === "" ? 0 : (readScriptNumber(step) as number);
  fill(points, Number(times ?? 0) + 1, () => {
    const now = next;
    if (step !== "") next += by;
    return now;
  });
}

function fill(points: ScriptPoint[], count: number, next: () => ScriptPoint): void {
  if (points.length + count > maxPoints) throw new Fault("invalid", `more than ${maxPoints} points in one line`);
  for (let i = 0; i < count; i++) points.push(next());
}

/** A number of a script; undefined for anything else. */
export function readScriptNumber(text: string): number | undefined {
  if (value.exec(text)?.[0] !== text) return undefined;
  const name = /^([+-]?)(inf|nan)$/i.exec(text);
  if (name === null) return Number(text);
  if (name[2]?.toLowerCase() === "nan") return Number.NaN;
  return name[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
