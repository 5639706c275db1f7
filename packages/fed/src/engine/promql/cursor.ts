import type { Fault } from "#base/fault.ts";
import type { Expr, Span } from "./ast.ts";
import { problemFault } from "./problem.ts";
import { describeToken, type Token } from "./token.ts";

/** How high a tree may be. Who walks a tree may therefore call itself. */
export const maxHeight = 250;

/** A place in the tokens of a query, from which a parser reads on. */
export interface Cursor {
  readonly query: string;
  readonly tokens: readonly Token[];
  /** Index of the token that is next. */
  at: number;
  /** How many expressions are being read, one in another. */
  depth: number;
  readonly heights: WeakMap<Expr, number>;
}

/** The next token, or one further on; the last one again and again behind the end. */
export function peek(cursor: Cursor, ahead = 0): Token {
  return cursor.tokens[Math.min(cursor.at + ahead, cursor.tokens.length - 1)] as Token;
}

export function take(cursor: Cursor): Token {
  const token = peek(cursor);
  if (cursor.at < cursor.tokens.length - 1) cursor.at++;
  return token;
}

export function isOp(token: Token, text: string): boolean {
  return token.kind === "op" && token.text === text;
}

/** Keywords are the same in capitals. */
export function isKeyword(token: Token, text: string): boolean {
  return token.kind === "word" && token.text.toLowerCase() === text;
}

/** Takes the next token if it is this sign. */
export function accept(cursor: Cursor, text: string): boolean {
  if (!isOp(peek(cursor), text)) return false;
  take(cursor);
  return true;
}

/** Takes the sign that must come next; `what` says which, and after what: "`)` after the labels". */
export function expectOp(cursor: Cursor, text: string, what: string, hint?: string): Token {
  if (!isOp(peek(cursor), text)) throw unexpected(cursor, what, hint);
  return take(cursor);
}

/** The fault of a token that cannot stand where it stands. */
export function unexpected(cursor: Cursor, wanted: string, hint?: string): Fault {
  const token = peek(cursor);
  if (token.kind === "error") return problemFault(cursor.query, token, token.words, { hint: token.hint });
  return problemFault(cursor.query, token, `expected ${wanted}, found ${describeToken(token)}`, { hint });
}

/** Where the last token ended. */
export function lastEnd(cursor: Cursor): number {
  return cursor.tokens[cursor.at - 1]?.end ?? 0;
}

/** Notes how high a new node is and refuses what is too high. */
export function grown<T extends Expr>(cursor: Cursor, node: T, ...children: readonly Expr[]): T {
  const height = 1 + Math.max(0, ...children.map((child) => cursor.heights.get(child) ?? 1));
  if (height > maxHeight) throw tooDeep(cursor, node.span);
  cursor.heights.set(node, height);
  return node;
}

export function tooDeep(cursor: Cursor, span: Span): Fault {
  const hint =
    "Take it apart, for instance by a recording rule, or write a regular expression for a long chain of `or`.";
  return problemFault(cursor.query, span, `this goes more than ${maxHeight} levels deep`, { hint });
}
