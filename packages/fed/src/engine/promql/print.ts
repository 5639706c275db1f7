import { unreachable } from "#base/unreachable.ts";
import { metricName } from "../series/labels.ts";
import type { Matcher } from "../series/matcher.ts";
import {
  type Aggregation,
  type At,
  argumentsOf,
  type Binary,
  type Expr,
  type Matching,
  type NumberLiteral,
  type Subquery,
  type VectorSelector,
} from "./ast.ts";
import { printDuration } from "./duration.ts";
import { formatPlain } from "./evaluate/note.ts";
import { quote } from "./quote.ts";

/** A query on one line: the same text for the same tree, and a text that `parse` reads as the same tree. */
export function print(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return printNumber(expr);
    case "string":
      return quote(expr.value);
    case "vector":
      return printSelector(expr) + printMoved(expr);
    case "matrix":
      return `${printSelector(expr.selector)}[${printDuration(expr.rangeMs)}]${printMoved(expr.selector)}`;
    case "subquery":
      return print(expr.expr) + printBrackets(expr);
    case "aggregation":
      return `${printAggregator(expr)}(${argumentsOf(expr).map(print).join(", ")})`;
    case "call":
      return `${expr.func}(${expr.args.map(print).join(", ")})`;
    case "binary":
      return `${printLeft(expr)} ${printOperator(expr)} ${print(expr.right)}`;
    case "unary":
      return expr.op + print(expr.expr);
    case "paren":
      return `(${print(expr.expr)})`;
    default:
      return unreachable(expr);
  }
}

/** A sign would be taken for one before the whole power: `Inf ^ 2` is not `+Inf ^ 2`. */
function printLeft({ left, op }: Binary): string {
  const text = print(left);
  return op === "^" && left.kind === "number" && text.startsWith("+") ? text.slice(1) : text;
}

/** What fits is not broken. */
const widthLimit = 100;

/** A query for people: what is longer than a line of 100 characters is broken up and indented. */
export function pretty(expr: Expr, level = 0): string {
  const indent = "  ".repeat(level);
  const line = print(expr);
  if (line.length <= widthLimit) return indent + line;
  switch (expr.kind) {
    case "aggregation":
      return `${indent}${printAggregator(expr)}(\n${prettyList(argumentsOf(expr), level + 1)}\n${indent})`;
    case "call":
      return `${indent}${expr.func}(\n${prettyList(expr.args, level + 1)}\n${indent})`;
    case "binary": {
      const operator = `${indent}${printOperator(expr)}`;
      const left = expr.left.kind === "number" ? `${indent}  ${printLeft(expr)}` : pretty(expr.left, level + 1);
      return `${left}\n${operator}\n${pretty(expr.right, level + 1)}`;
    }
    case "paren":
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`;
    case "unary":
      return indent + expr.op + pretty(expr.expr, level).trimStart();
    case "subquery":
      return pretty(expr.expr, level) + printBrackets(expr);
    default:
      return indent + line;
  }
}

function prettyList(list: readonly Expr[], level: number): string {
  return list.map((one) => pretty(one, level)).join(",\n");
}

export function printAggregator({ op, grouping }: Aggregation): string {
  return grouping.written ? `${op} ${grouping.kind} (${printLabels(grouping.labels)}) ` : op;
}

/** The operator with all that belongs to it. */
export function printOperator({ op, returnBool, matching }: Binary): string {
  return `${op}${returnBool ? " bool" : ""}${matching === undefined ? "" : printMatching(matching)}`;
}

function printMatching({ cardinality, on, labels, include, fill }: Matching): string {
  const grouped = cardinality === "many-to-one" ? "left" : cardinality === "one-to-many" ? "right" : undefined;
  let text = on || labels.length > 0 || grouped ? ` ${on ? "on" : "ignoring"} (${printLabels(labels)})` : "";
  if (grouped) text += ` group_${grouped} (${printLabels(include)})`;
  const { left, right } = fill;
  if (left !== undefined && Object.is(left, right)) return `${text} fill (${formatPlain(left)})`;
  if (left !== undefined) text += ` fill_left (${formatPlain(left)})`;
  return right === undefined ? text : `${text} fill_right (${formatPlain(right)})`;
}

const plainLabel = /^(?!(?:inf|nan)$)[a-z_][a-z0-9_]*$/i;

function printLabels(labels: readonly string[]): string {
  return labels.map((label) => (plainLabel.test(label) ? label : quote(label))).join(", ");
}

/** Without the offset and the moment. */
function printSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers.filter((one) => name === undefined || one.name !== metricName);
  if (shown.length === 0) return name ?? "{}";
  return `${name ?? ""}{${shown.map(printMatcher).sort().join(",")}}`;
}

/** One condition of a selector as it stands in braces. */
function printMatcher({ name, kind, value }: Matcher): string {
  return `${/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quote(name)}${kind}${quote(value)}`;
}

function printBrackets(expr: Subquery): string {
  const step = expr.stepMs === 0 ? "" : printDuration(expr.stepMs);
  return `[${printDuration(expr.rangeMs)}:${step}]${printMoved(expr)}`;
}

/** The moment and the offset of a selector or a subquery. */
function printMoved({ at, offsetMs }: { readonly at?: At; readonly offsetMs: number }): string {
  return `${at === undefined ? "" : ` @ ${printAt(at)}`}${offsetMs === 0 ? "" : ` offset ${printDuration(offsetMs)}`}`;
}

function printAt(at: At): string {
  return at.kind === "time" ? (at.atMs / 1000).toFixed(3) : `${at.kind}()`;
}

function printNumber({ value, duration }: NumberLiteral): string {
  if (!duration) return formatPlain(value);
  return Object.is(value, -0) ? "-0s" : printDuration(Math.round(value * 1000));
}
