import type { At, Expr, MatrixSelector, Span, Subquery, VectorSelector } from "./ast.ts";
import { accept, type Cursor, expectOp, grown, isKeyword, isOp, lastEnd, peek, take, unexpected } from "./cursor.ts";
import { longestMs } from "./duration.ts";
import { typeNames } from "./function.ts";
import { problemFault } from "./problem.ts";
import type { Token } from "./token.ts";
import { typeOf } from "./type.ts";

/** Reads a range, an offset or an `@` behind an operand; undefined when there is none. */
export function readRange(cursor: Cursor, expr: Expr): Expr | undefined {
  const token = peek(cursor);
  if (isOp(token, "[")) return readBrackets(cursor, expr);
  if (isKeyword(token, "offset")) return readOffset(cursor, expr);
  if (isOp(token, "@")) return readAt(cursor, expr);
  if (!isKeyword(token, "anchored") && !isKeyword(token, "smoothed")) return undefined;
  throw problemFault(cursor.query, token, `\`${token.text}\` is experimental and not understood here`, {
    leftOut: "experimental",
  });
}

function readBrackets(cursor: Cursor, expr: Expr): Expr {
  const open = take(cursor);
  const rangeMs = readLength(cursor, "the length of a range");
  if (accept(cursor, ":")) {
    refuseAlignment(cursor);
    const stepMs = isOp(peek(cursor), "]") ? 0 : readLength(cursor, "a step or `]`");
    closeBrackets(cursor, "`]` after the step");
    return subqueryOf(cursor, expr, rangeMs, stepMs);
  }
  closeBrackets(cursor, "`]` or `:` after the length of the range");
  return matrixOf(cursor, expr, rangeMs, open);
}

/** `[5m::1m]` is newer than Prometheus 3 promises to keep. */
function refuseAlignment(cursor: Cursor): void {
  const token = peek(cursor);
  if (!isOp(token, ":")) return;
  throw problemFault(cursor.query, token, "`::` is experimental and not understood here", { leftOut: "experimental" });
}

function closeBrackets(cursor: Cursor, what: string): void {
  refuseArithmetic(cursor);
  expectOp(cursor, "]", what);
}

function matrixOf(cursor: Cursor, expr: Expr, rangeMs: number, open: Token): MatrixSelector {
  const brackets = { start: open.start, end: lastEnd(cursor) };
  const text = cursor.query.slice(brackets.start, brackets.end);
  if (expr.kind !== "vector") {
    const subquery = `${text.slice(0, -1)}:]`;
    const hint = typeOf(expr) === "vector" ? `A range of what is computed is a subquery: ${subquery}.` : undefined;
    const words = `a range stands behind a selector only, this is ${describeExpr(expr)}`;
    throw problemFault(cursor.query, brackets, words, { hint });
  }
  const moved = expr.offsetMs !== 0 ? "offset" : expr.at !== undefined ? "@" : undefined;
  if (moved !== undefined) {
    const hint = `Write it behind the range: up${text} ${moved} ….`;
    throw problemFault(cursor.query, brackets, `\`${moved}\` cannot stand before a range`, { hint });
  }
  const span = { start: expr.span.start, end: brackets.end };
  return grown(cursor, { kind: "matrix", selector: expr, rangeMs, span }, expr);
}

function subqueryOf(cursor: Cursor, expr: Expr, rangeMs: number, stepMs: number): Subquery {
  const span = { start: expr.span.start, end: lastEnd(cursor) };
  if (typeOf(expr) !== "vector") {
    const words = `a subquery is of an instant vector, this is ${describeExpr(expr)}`;
    const hint = typeOf(expr) === "scalar" ? "vector(…) makes an instant vector of a scalar." : undefined;
    throw problemFault(cursor.query, expr.span, words, { hint });
  }
  return grown(cursor, { kind: "subquery", expr, rangeMs, stepMs, offsetMs: 0, span }, expr);
}

function readOffset(cursor: Cursor, expr: Expr): Expr {
  const keyword = take(cursor);
  const sign = isOp(peek(cursor), "-") || isOp(peek(cursor), "+") ? take(cursor).text : "+";
  const ms = readDurationMs(cursor, "a duration after `offset`");
  const offsetMs = sign === "-" && ms !== 0 ? -ms : ms;
  return movedOf(cursor, expr, keyword, (selector) => {
    if (selector.offsetMs !== 0) throw problemFault(cursor.query, keyword, "`offset` stands twice");
    return { ...selector, offsetMs };
  });
}

function readAt(cursor: Cursor, expr: Expr): Expr {
  const keyword = take(cursor);
  const at = readMoment(cursor);
  return movedOf(cursor, expr, keyword, (selector) => {
    if (selector.at !== undefined) throw problemFault(cursor.query, keyword, "`@` stands twice");
    return { ...selector, at };
  });
}

type Movable = Pick<VectorSelector, "offsetMs"> & { readonly at?: At };

/** The expression with its offset or moment changed, and its span up to what was read last. */
function movedOf(cursor: Cursor, expr: Expr, keyword: Token, change: <T extends Movable>(selector: T) => T): Expr {
  const span: Span = { start: expr.span.start, end: lastEnd(cursor) };
  switch (expr.kind) {
    case "vector":
      return grown(cursor, { ...change(expr), span });
    case "subquery":
      return grown(cursor, { ...change(expr), span }, expr.expr);
    case "matrix": {
      const selector = change(expr.selector);
      return grown(cursor, { ...expr, selector, span }, selector);
    }
    default: {
      const words = `\`${keyword.text}\` stands behind a selector or a subquery only, this is ${describeExpr(expr)}`;
      const hint = "Move it inside, right behind the metric that it is for.";
      throw problemFault(cursor.query, keyword, words, { hint });
    }
  }
}

function readMoment(cursor: Cursor): At {
  const word = peek(cursor);
  const kind = isKeyword(word, "start") ? "start" : isKeyword(word, "end") ? "end" : undefined;
  if (kind !== undefined) {
    take(cursor);
    expectOp(cursor, "(", `\`(\` after \`${kind}\``, `Write ${kind}().`);
    expectOp(cursor, ")", "`)`", `${kind}() takes nothing.`);
    return { kind };
  }
  const sign = isOp(word, "-") || isOp(word, "+") ? take(cursor).text : "+";
  const token = peek(cursor);
  const infinite = isKeyword(token, "inf") || isKeyword(token, "nan");
  if (token.kind !== "number" && token.kind !== "duration" && !infinite) {
    const hint = "Write a time in seconds since 1970, such as 1609746000, or start() or end().";
    throw unexpected(cursor, "a time after `@`", hint);
  }
  take(cursor);
  const seconds = token.kind === "number" ? token.value : token.kind === "duration" ? token.value / 1000 : Number.NaN;
  const atMs = Math.round(seconds * 1000);
  if (!(atMs <= latestMs)) throw problemFault(cursor.query, token, `${token.text} is no time`);
  return { kind: "time", atMs: sign === "-" && atMs !== 0 ? -atMs : atMs };
}

/** The last moment that a date of JavaScript can be, in the year 275760. */
const latestMs = 8.64e15;

/** A length of time that is longer than nothing. */
function readLength(cursor: Cursor, what: string): number {
  const token = peek(cursor);
  const ms = readDurationMs(cursor, what);
  if (ms > 0) return ms;
  throw problemFault(cursor.query, token, "this must be longer than nothing", { hint: "The least is 1ms." });
}

/** A duration, or a number of seconds, in whole milliseconds. */
function readDurationMs(cursor: Cursor, what: string): number {
  const token = peek(cursor);
  if (token.kind === "number" || token.kind === "duration") {
    take(cursor);
    const ms = token.kind === "duration" ? token.value : Math.trunc(Math.round(token.value * 1e9) / 1e6);
    if (ms <= longestMs) return ms;
    throw problemFault(cursor.query, token, `${token.text} is too long a time`, { hint: "At most about 292 years." });
  }
  refuseArithmetic(cursor);
  throw unexpected(cursor, what, "A duration is a number with a unit (ms, s, m, h, d, w, y), or a number of seconds.");
}

/** Prometheus computes durations only behind a flag. */
function refuseArithmetic(cursor: Cursor): void {
  const token = peek(cursor);
  const sign = token.kind === "op" && ["+", "-", "*", "/", "%", "^", "("].includes(token.text);
  const call = token.kind === "word" && /^(?:step|range|min|max|min_of|max_of)$/i.test(token.text);
  if (!sign && !call) return;
  const words = "a duration that is computed is experimental and not understood here";
  throw problemFault(cursor.query, token, words, { hint: "Write the duration itself.", leftOut: "experimental" });
}

/** What an expression is, with its article. */
function describeExpr(expr: Expr): string {
  const type = typeNames[typeOf(expr)];
  const article = type.startsWith("i") ? "an" : "a";
  if (expr.kind === "paren") return `${article} ${type} between parentheses`;
  if (expr.kind === "call") return `what ${expr.func}() yields, ${article} ${type}`;
  if (expr.kind === "aggregation") return `what ${expr.op} yields, ${article} ${type}`;
  return `${article} ${type}`;
}
