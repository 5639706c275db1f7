import { isFault } from "#base/fault.ts";
import { compileMatcher, type Matcher } from "../series/matcher.ts";
import type { Span, VectorSelector } from "./ast.ts";
import { accept, type Cursor, expectOp, grown, isOp, lastEnd, peek, take, unexpected } from "./cursor.ts";
import { readQuotedName } from "./parse-labels.ts";
import { problemFault } from "./problem.ts";
import type { Token } from "./token.ts";

const nameLabel = "__name__";

/** Reads `up`, `up{job="a"}`, `{job="a"}` or `{"a metric", "a label"="x"}`. */
export function readSelector(cursor: Cursor): VectorSelector {
  const first = peek(cursor);
  const name = first.kind === "word" ? take(cursor).text : undefined;
  const inBraces = accept(cursor, "{") ? readMatchers(cursor) : [];
  const span = { start: first.start, end: lastEnd(cursor) };
  if (name !== undefined) refuseSecondName(cursor, name, inBraces, span);
  const own: Matcher[] = name === undefined ? [] : [{ name: nameLabel, kind: "=", value: name }];
  const matchers = [...own, ...inBraces.toSorted(byText)];
  if (name === undefined && matchers.every((one) => compileMatcher(one)(""))) {
    const hint = 'Name a metric or a label that must be there: {job="node"}, or {job=~".+"} for any.';
    throw problemFault(cursor.query, span, "this selects every series there is", { hint });
  }
  return grown(cursor, { kind: "vector", ...(name !== undefined && { name }), matchers, offsetMs: 0, span });
}

/** The same order for the same selector, however it was written. */
function byText(a: Matcher, b: Matcher): number {
  return compare(a.name, b.name) || compare(a.kind, b.kind) || compare(a.value, b.value);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function refuseSecondName(cursor: Cursor, name: string, matchers: readonly Matcher[], span: Span): void {
  const second = matchers.find((one) => one.name === nameLabel);
  if (second === undefined) return;
  const hint = `Leave one of them out; to choose among several: {__name__=~"${name}|${second.value}"}.`;
  throw problemFault(cursor.query, span, `the metric is named twice: ${name} and ${second.value}`, { hint });
}

function readMatchers(cursor: Cursor): Matcher[] {
  const matchers: Matcher[] = [];
  let named = false;
  while (!accept(cursor, "}")) {
    const token = peek(cursor);
    const matcher = readMatcher(cursor);
    matchers.push(matcher.matcher);
    if (matcher.bare && named) throw problemFault(cursor.query, token, "the metric is named twice");
    named ||= matcher.bare;
    if (isOp(peek(cursor), "}")) continue;
    const hint = peek(cursor).kind === "end" ? "The `{` is not closed." : undefined;
    expectOp(cursor, ",", "`,` or `}` after a condition on a label", hint);
  }
  return matchers;
}

const kinds: ReadonlySet<string> = new Set(["=", "!=", "=~", "!~"]);

function isKind(text: string): text is Matcher["kind"] {
  return kinds.has(text);
}

/** One condition; `bare`: a metric's name between quotes. */
function readMatcher(cursor: Cursor): { matcher: Matcher; bare: boolean } {
  const token = peek(cursor);
  if (token.kind !== "word" && token.kind !== "string") {
    throw unexpected(cursor, "the name of a label or `}`", hintOfName(token));
  }
  const next = peek(cursor, 1);
  const bare = token.kind === "string" && (isOp(next, ",") || isOp(next, "}"));
  const name = readMatcherName(cursor, token, bare);
  if (bare) return { matcher: { name: nameLabel, kind: "=", value: name }, bare };
  const sign = peek(cursor);
  if (sign.kind !== "op" || !isKind(sign.text)) {
    throw unexpected(cursor, `=, !=, =~ or !~ after the label ${name}`, hintOfSign(sign));
  }
  take(cursor);
  const value = peek(cursor);
  if (value.kind !== "string") {
    const quoted = value.kind === "word" || value.kind === "number" || value.kind === "duration";
    const hint = quoted ? `Put the value between quotes: ${name}${sign.text}"${value.text}".` : undefined;
    throw unexpected(cursor, "a value between quotes", hint);
  }
  take(cursor);
  const matcher: Matcher = { name, kind: sign.text, value: value.value };
  refuseBadPattern(cursor, matcher, value);
  return { matcher, bare };
}

function refuseBadPattern(cursor: Cursor, matcher: Matcher, token: Token): void {
  try {
    compileMatcher(matcher);
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    throw problemFault(cursor.query, token, thrown.message, { hint: thrown.hint });
  }
}

function readMatcherName(cursor: Cursor, token: Token, bare: boolean): string {
  if (token.kind === "string") return readQuotedName(cursor, bare ? "metric" : "label");
  if (token.text.includes(":")) {
    const hint = `Put the name between quotes: "${token.text}".`;
    throw problemFault(cursor.query, token, `${token.text} is no name of a label`, { hint });
  }
  return take(cursor).text;
}

function hintOfName(token: Token): string | undefined {
  if (isOp(token, ",")) return "There is nothing before this comma.";
  if (token.kind === "end") return "The `{` is not closed.";
  return undefined;
}

function hintOfSign(token: Token): string | undefined {
  if (isOp(token, "==")) return "Labels are compared by a single =.";
  if (isOp(token, ">") || isOp(token, "<"))
    return "Labels are texts: they are equal or not, or match a regular expression.";
  return undefined;
}
