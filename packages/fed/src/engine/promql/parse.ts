import type { Fault } from "#base/fault.ts";
import type { Matcher } from "../series/matcher.ts";
import type { BinaryOp, Expr, NumberLiteral } from "./ast.ts";
import { checkBinary, checkUnary } from "./check.ts";
import {
  type Cursor,
  expectOp,
  grown,
  isKeyword,
  isOp,
  lastEnd,
  maxHeight,
  peek,
  take,
  tooDeep,
  unexpected,
} from "./cursor.ts";
import { lex } from "./lex.ts";
import { readCall } from "./parse-call.ts";
import { readMatching } from "./parse-matching.ts";
import { readRange } from "./parse-range.ts";
import { readSelector } from "./parse-selector.ts";
import { placeOf, problemFault } from "./problem.ts";
import { describeToken, type Token } from "./token.ts";

/** Code units. */
const maxLength = 100_000;

/**
 * Reads a query of Prometheus 3, without native histograms and what Prometheus holds back as experimental, and settles its
 * types. Faults: `invalid`, whose `details` are a QueryProblem.
 */
export function parse(query: string): Expr {
  if (query.length > maxLength) {
    const words = `a query is at most ${maxLength} characters long, this one is ${query.length}`;
    throw problemFault(query, { start: maxLength, end: query.length }, words);
  }
  const cursor: Cursor = { query, tokens: lex(query), at: 0, depth: 0, heights: new WeakMap() };
  if (peek(cursor).kind === "end") {
    throw problemFault(query, { start: 0, end: query.length }, "the query is empty", {
      hint: "Write an expression, such as up.",
    });
  }
  const expr = readExpr(cursor, 0);
  if (peek(cursor).kind !== "end") throw trailing(cursor);
  return expr;
}

/** Reads which series are meant, such as `up{job="a"}`: the `match[]` of Prometheus' API. Faults: `invalid`. */
export function parseSelector(text: string): readonly Matcher[] {
  const expr = parse(text);
  if (expr.kind === "vector" && expr.at === undefined && expr.offsetMs === 0) return expr.matchers;
  const hint = 'Name a metric and conditions on labels only, such as up{job="node"}.';
  throw problemFault(text, expr.span, "this is more than a selector of series", { hint });
}

const powers: Readonly<Record<BinaryOp, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  ">": 3,
  "<=": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};

/** Reads as far as operators bind at least as strongly as `power`. */
function readExpr(cursor: Cursor, power: number): Expr {
  if (++cursor.depth > maxHeight) throw tooDeep(cursor, peek(cursor));
  let left = readPrefix(cursor);
  for (;;) {
    const token = peek(cursor);
    const op = binaryOpOf(token);
    if (op === undefined || powers[op] < power) break;
    take(cursor);
    const modifiers = readMatching(cursor);
    const right = readExpr(cursor, op === "^" ? powers[op] : powers[op] + 1);
    const span = { start: left.span.start, end: right.span.end };
    const node = checkBinary(cursor, { token, op, left, right, modifiers, span });
    left = grown(cursor, node, left, right);
  }
  cursor.depth--;
  return left;
}

function binaryOpOf(token: Token): BinaryOp | undefined {
  if (token.kind !== "op" && token.kind !== "word") return undefined;
  const text = token.text.toLowerCase();
  return Object.hasOwn(powers, text) ? (text as BinaryOp) : undefined;
}

/** A sign binds more weakly than `^` and as strongly as `*`. */
function readPrefix(cursor: Cursor): Expr {
  const token = peek(cursor);
  const op = isOp(token, "-") ? "-" : isOp(token, "+") ? "+" : undefined;
  if (op === undefined) return readPostfix(cursor);
  take(cursor);
  const expr = readExpr(cursor, powers["^"]);
  const span = { start: token.start, end: expr.span.end };
  if (expr.kind === "number") return grown(cursor, { ...expr, value: op === "-" ? -expr.value : expr.value, span });
  checkUnary(cursor, expr, token);
  return grown(cursor, { kind: "unary", op, expr, span }, expr);
}

/** An operand with the range, offset and `@` behind it. */
function readPostfix(cursor: Cursor): Expr {
  let expr = readOperand(cursor);
  for (;;) {
    const changed = readRange(cursor, expr);
    if (changed === undefined) return expr;
    expr = changed;
  }
}

function readOperand(cursor: Cursor): Expr {
  const token = peek(cursor);
  const { start, end } = token;
  if (token.kind === "number") {
    take(cursor);
    return { kind: "number", value: token.value, span: { start, end } };
  }
  if (token.kind === "duration") {
    take(cursor);
    return { kind: "number", value: token.value / 1000, duration: true, span: { start, end } };
  }
  if (token.kind === "string") {
    take(cursor);
    return { kind: "string", value: token.value, span: { start, end } };
  }
  if (isOp(token, "(")) return readParen(cursor);
  if (isOp(token, "{")) return readSelector(cursor);
  if (token.kind === "word") return readName(cursor, token);
  refuseTrim(cursor, token);
  throw unexpected(cursor, "an expression", hintOfOperand(token));
}

/** `</` and `>/` cut native histograms. */
function refuseTrim(cursor: Cursor, token: Token): void {
  const last = cursor.tokens[cursor.at - 1];
  if (last === undefined || last.end !== token.start || !isOp(token, "/") || !/^[<>]$/.test(last.text)) return;
  const words = `\`${last.text}/\` is for native histograms, which are not understood here`;
  throw problemFault(cursor.query, { start: last.start, end: token.end }, words, { leftOut: "native histograms" });
}

function hintOfOperand(token: Token): string | undefined {
  if (isOp(token, ")")) return "Something is missing before the `)`.";
  if (token.kind === "end") return "The query breaks off: something is missing at its end.";
  if (isOp(token, "[")) return "A range such as [5m] stands behind what it is of: up[5m].";
  return undefined;
}

function readParen(cursor: Cursor): Expr {
  const open = take(cursor);
  const expr = readExpr(cursor, 0);
  const place = placeOf(cursor.query, open.start);
  expectOp(cursor, ")", "an operator or `)`", `The \`(\` at ${place.line}:${place.column} is not closed.`);
  return grown(cursor, { kind: "paren", expr, span: { start: open.start, end: lastEnd(cursor) } }, expr);
}

const special: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, nan: Number.NaN };
/** Keywords that are no metric's name outside of braces. */
const reserved: ReadonlySet<string> = new Set(["bool", "on", "ignoring", "group_left", "group_right", "atan2"]);

function readName(cursor: Cursor, token: Token): Expr {
  const lower = token.text.toLowerCase();
  if (Object.hasOwn(special, lower)) {
    take(cursor);
    const value = special[lower] as number;
    return { kind: "number", value, span: { start: token.start, end: token.end } } satisfies NumberLiteral;
  }
  const call = readCall(cursor, readArgument);
  if (call !== undefined) return call;
  if (!reserved.has(lower)) return readSelector(cursor);
  const hint = `A metric of this name is written {__name__="${token.text}"}.`;
  throw unexpected(cursor, "an expression", hint);
}

function readArgument(cursor: Cursor): Expr {
  return readExpr(cursor, 0);
}

/** What stands behind a whole expression and does not belong to it. */
function trailing(cursor: Cursor): Fault {
  const token = peek(cursor);
  if (isOp(token, ")")) return problemFault(cursor.query, token, "no `(` is open that this `)` would close");
  if (isOp(token, "=")) {
    const hint = "Write == to compare values; = compares labels, inside { }.";
    return unexpected(cursor, "an operator or the end of the query", hint);
  }
  if (isOp(token, "=~") || isOp(token, "!~")) {
    return unexpected(cursor, "an operator or the end of the query", `${token.text} compares labels, inside { }.`);
  }
  if (isKeyword(token, "by") || isKeyword(token, "without")) {
    const hint = `\`${token.text}\` belongs to an aggregation: sum ${token.text} (job) (up).`;
    return unexpected(cursor, "an operator or the end of the query", hint);
  }
  const begins = token.kind === "word" || token.kind === "number" || token.kind === "string" || isOp(token, "(");
  const hint = begins
    ? `Between ${describeToken(cursor.tokens[cursor.at - 1] as Token)} and this an operator is missing.`
    : undefined;
  return unexpected(cursor, "an operator or the end of the query", hint);
}
