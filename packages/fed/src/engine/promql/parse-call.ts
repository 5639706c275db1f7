import { type Aggregation, aggregators, type Expr } from "./ast.ts";
import { checkAggregation, checkCall } from "./check.ts";
import { accept, type Cursor, expectOp, grown, isKeyword, isOp, lastEnd, peek, take } from "./cursor.ts";
import { experimentalNames, functions, isFunctionName } from "./function.ts";
import { nearestName } from "./nearest.ts";
import { readLabels } from "./parse-labels.ts";
import { placeOf, problemFault } from "./problem.ts";
import type { Token } from "./token.ts";

type ReadExpr = (cursor: Cursor) => Expr;

/** Reads a function or an aggregation; undefined when the word that is next is something else. */
export function readCall(cursor: Cursor, readExpr: ReadExpr): Expr | undefined {
  const name = peek(cursor);
  const grouped = isGrouping(peek(cursor, 1));
  const lower = name.text.toLowerCase();
  const op = aggregators.find((one) => one === lower);
  if (!isOp(peek(cursor, 1), "(") && !(grouped && (op !== undefined || experimentalNames.has(lower)))) return undefined;
  if (op !== undefined) return readAggregation(cursor, op, readExpr);
  const experimental = experimentalNames.has(name.text);
  if (experimental || !isFunctionName(name.text)) throw unknownFunction(cursor, name, experimental);
  take(cursor);
  const args = readArguments(cursor, readExpr);
  const span = { start: name.start, end: lastEnd(cursor) };
  checkCall(cursor, name.text, args, { name, span });
  return grown(cursor, { kind: "call", func: name.text, args, span }, ...args);
}

function isGrouping(token: Token): boolean {
  return isKeyword(token, "by") || isKeyword(token, "without");
}

function unknownFunction(cursor: Cursor, name: Token, experimental: boolean): Error {
  if (experimental) {
    const words = `${name.text}() is experimental in Prometheus and not understood here`;
    return problemFault(cursor.query, name, words, { leftOut: "experimental" });
  }
  const near = nearestName(name.text, [...Object.keys(functions), ...aggregators]);
  const hint = near === undefined ? "Functions are such as rate(…) or sum(…)." : `Did you mean ${near}?`;
  return problemFault(cursor.query, name, `there is no function ${name.text}()`, { hint });
}

function readAggregation(cursor: Cursor, op: Aggregation["op"], readExpr: ReadExpr): Expr {
  const name = take(cursor);
  const before = readGrouping(cursor);
  const args = readArguments(cursor, readExpr);
  const after = isGrouping(peek(cursor)) ? peek(cursor) : undefined;
  if (before !== undefined && after !== undefined) {
    throw problemFault(cursor.query, after, `${op} says twice what to group by`, { hint: "Leave one of them out." });
  }
  const grouping = before ?? readGrouping(cursor) ?? { kind: "by" as const, labels: [], written: false };
  const span = { start: name.start, end: lastEnd(cursor) };
  const { expr, param } = checkAggregation(cursor, op, args, { name, span });
  const node: Aggregation = { kind: "aggregation", op, expr, ...(param && { param }), grouping, span };
  return grown(cursor, node, ...args);
}

function readGrouping(cursor: Cursor): Aggregation["grouping"] | undefined {
  const keyword = peek(cursor);
  if (!isGrouping(keyword)) return undefined;
  take(cursor);
  const kind = isKeyword(keyword, "by") ? "by" : "without";
  const labels = readLabels(cursor, keyword);
  return { kind, labels, written: kind === "without" || labels.length > 0 };
}

/** Expressions between parentheses. */
function readArguments(cursor: Cursor, readExpr: ReadExpr): Expr[] {
  const name = cursor.tokens[cursor.at - 1] as Token;
  const open = expectOp(cursor, "(", `\`(\` after ${name.text === ")" ? "the labels" : `\`${name.text}\``}`);
  const args: Expr[] = [];
  if (accept(cursor, ")")) return args;
  const place = placeOf(cursor.query, open.start);
  for (;;) {
    args.push(readExpr(cursor));
    if (accept(cursor, ")")) return args;
    const hint = `The \`(\` at ${place.line}:${place.column} is not closed.`;
    const comma = expectOp(cursor, ",", "an operator, `,` or `)`", peek(cursor).kind === "end" ? hint : undefined);
    if (!isOp(peek(cursor), ")")) continue;
    throw problemFault(cursor.query, comma, "nothing comes after this comma", { hint: "Leave the comma out." });
  }
}
