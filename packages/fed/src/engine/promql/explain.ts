import { unreachable } from "#base/unreachable.ts";
import { metricName } from "../series/labels.ts";
import type { Matcher } from "../series/matcher.ts";
import type { Aggregation, At, Binary, BinaryOp, Expr, Matching, Span, Subquery, VectorSelector } from "./ast.ts";
import { printDuration } from "./duration.ts";
import { isFunctionName, typeNames } from "./function.ts";
import { aggregationWords, functionWords } from "./function-words.ts";
import { print, printAggregator, printOperator } from "./print.ts";
import { quote } from "./quote.ts";
import { typeOf } from "./type.ts";
import { childrenOf } from "./walk.ts";

/** A part of a query in words, with the parts that it is made of. */
export interface Explained {
  /** The part itself: all of a selector, but of a function or an operator only its name and what belongs to it. */
  readonly text: string;
  /** What it yields, such as `instant vector`. */
  readonly type: string;
  readonly words: string;
  readonly span: Span;
  readonly parts: readonly Explained[];
}

/** A query as a tree in words; parentheses are gone, they are in the shape. */
export function explainTree(expr: Expr): Explained {
  if (expr.kind === "paren") return explainTree(expr.expr);
  const parts = expr.kind === "matrix" ? [] : childrenOf(expr).map(explainTree);
  return { text: headOf(expr), type: typeNames[typeOf(expr)], words: wordsOf(expr), span: expr.span, parts };
}

/** The same as a text of three columns, a line for each part, what it is made of below and further in. */
export function explain(expr: Expr): string {
  const rows: (readonly [string, string, string])[] = [];
  const add = (one: Explained, level: number) => {
    rows.push([`${"  ".repeat(level)}${one.text}`, one.type, one.words]);
    for (const part of one.parts) add(part, level + 1);
  };
  add(explainTree(expr), 0);
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [Math.min(width(0), 60), width(1)];
  return rows.map(([text, type, words]) => `${text.padEnd(first)}  ${type.padEnd(second)}  ${words}`).join("\n");
}

function headOf(expr: Expr): string {
  switch (expr.kind) {
    case "aggregation":
      return printAggregator(expr).trimEnd();
    case "call":
      return `${expr.func}()`;
    case "binary":
      return printOperator(expr);
    case "unary":
      return expr.op;
    case "subquery":
      return `[${printDuration(expr.rangeMs)}:${expr.stepMs === 0 ? "" : printDuration(expr.stepMs)}]`;
    default:
      return print(expr);
  }
}

function wordsOf(expr: Exclude<Expr, { kind: "paren" }>): string {
  switch (expr.kind) {
    case "number":
      return expr.duration ? `${expr.value} seconds` : "a number";
    case "string":
      return "a text";
    case "vector":
      return `the newest value of ${seriesOf(expr)}${movedOf(expr)}`;
    case "matrix":
      return `the samples of ${printDuration(expr.rangeMs)} of ${seriesOf(expr.selector)}${movedOf(expr.selector)}`;
    case "subquery":
      return subqueryWords(expr);
    case "aggregation":
      return aggregationWordsOf(expr);
    case "call":
      return isFunctionName(expr.func) ? functionWords[expr.func] : "";
    case "binary":
      return binaryWords(expr);
    case "unary":
      return expr.op === "-" ? "each value with the other sign" : "the same values";
    default:
      return unreachable(expr);
  }
}

const comparing: Readonly<Record<Matcher["kind"], string>> = {
  "=": "is",
  "!=": "is not",
  "=~": "matches",
  "!~": "does not match",
};

function seriesOf({ name, matchers }: VectorSelector): string {
  const shown = matchers.filter((one) => name === undefined || one.name !== metricName);
  const conditions = shown.map(({ name: label, kind, value }) => {
    const what = label === metricName ? "name" : label;
    return value === ""
      ? `${what} is ${kind === "=" ? "not there" : "there"}`
      : `${what} ${comparing[kind]} ${quote(value)}`;
  });
  const series = name === undefined ? "each series" : `each series of ${name}`;
  return conditions.length === 0 ? series : `${series} whose ${conditions.join(" and ")}`;
}

function movedOf({ at, offsetMs }: { readonly at?: At; readonly offsetMs: number }): string {
  const moment = at === undefined ? "" : `, ${momentOf(at)}`;
  if (offsetMs === 0) return moment;
  return `${moment}, ${printDuration(Math.abs(offsetMs))} ${offsetMs > 0 ? "earlier" : "later"}`;
}

function momentOf(at: At): string {
  if (at.kind === "time") return `at ${new Date(at.atMs).toISOString()}`;
  return at.kind === "start" ? "at the start of the query" : "at the end of the query";
}

function subqueryWords(expr: Subquery): string {
  const step = expr.stepMs === 0 ? "each default step" : `every ${printDuration(expr.stepMs)}`;
  return `what is below, computed ${step} over ${printDuration(expr.rangeMs)}${movedOf(expr)}`;
}

function aggregationWordsOf({ op, grouping }: Aggregation): string {
  const words = aggregationWords[op];
  const labels = grouping.labels.join(", ");
  if (grouping.kind === "without") {
    return `${words}, of series that differ ${labels === "" ? "in no label" : `only in ${labels}`}`;
  }
  return labels === "" ? `${words}, of all series together` : `${words}, for each ${labels}`;
}

const operatorWords: Readonly<Record<BinaryOp, string>> = {
  "+": "left plus right",
  "-": "left minus right",
  "*": "left times right",
  "/": "left divided by right",
  "%": "what is left over when left is divided by right",
  "^": "left to the power of right",
  atan2: "the angle of left over right, in radians",
  "==": "equal to right",
  "!=": "not equal to right",
  "<": "less than right",
  ">": "greater than right",
  "<=": "at most right",
  ">=": "at least right",
  and: "the series of left that have a match in right",
  or: "the series of left, and those of right without a match in left",
  unless: "the series of left that have no match in right",
};

function binaryWords(expr: Binary): string {
  const words = operatorWords[expr.op];
  const comparison = /[=<>]/.test(expr.op);
  const scalarFirst = expr.matching === undefined && typeOf(expr.left) === "scalar";
  const kept = scalarFirst ? `right where left is ${words}` : `left where it is ${words}`;
  const result = !comparison ? words : expr.returnBool ? `1 where left is ${words}, 0 elsewhere` : kept;
  return expr.matching === undefined ? result : result + matchingWords(expr.matching);
}

function matchingWords({ on, labels, cardinality, include, fill }: Matching): string {
  const by = on
    ? `, matched by ${labels.join(", ") || "nothing"}`
    : `, matched by all labels${labels.length === 0 ? "" : ` but ${labels.join(", ")}`}`;
  const many = cardinality === "many-to-one" ? "left" : cardinality === "one-to-many" ? "right" : undefined;
  const grouped = many === undefined ? "" : `, many series on the ${many} to one`;
  const taken = include.length === 0 ? "" : `, with ${include.join(", ")} taken over`;
  const { left, right } = fill;
  const filled = [
    left === undefined ? "" : `${left} for a missing left`,
    right === undefined ? "" : `${right} for a missing right`,
  ];
  return [by + grouped + taken, ...filled.filter((one) => one !== "")].join(", ");
}
