import { aggregators } from "@fed/fed/engine/promql/ast.ts";
import { functions } from "@fed/fed/engine/promql/function.ts";
import { lex } from "@fed/fed/engine/promql/lex.ts";
import { parse } from "@fed/fed/engine/promql/parse.ts";
import { problemOf, type QueryProblem } from "@fed/fed/engine/promql/problem.ts";
import type { Token } from "@fed/fed/engine/promql/token.ts";

/** A query as pieces to colour, and what is wrong with it. Pure. */

export type PieceKind = "plain" | "metric" | "function" | "keyword" | "number" | "string" | "operator" | "comment";

export interface Piece {
  readonly start: number;
  readonly text: string;
  readonly kind: PieceKind;
  readonly wrong: boolean;
}

const keywords = new Set([
  ...["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless", "atan2"],
  ...["fill", "fill_left", "fill_right"],
]);
const called = new Set<string>([...Object.keys(functions), ...aggregators]);

/** All of the text, in pieces that come one after the other. */
export function coloured(text: string, problem?: Pick<QueryProblem, "start" | "end">): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let inBraces = false;
  const push = (end: number, kind: PieceKind) => {
    if (end > at) pieces.push(...cut(text, { start: at, end, kind }, problem));
    at = Math.max(at, end);
  };
  for (const token of lex(text)) {
    const gap = text.slice(at, token.start);
    push(token.start, gap.includes("#") ? "comment" : "plain");
    if (token.kind === "op" && (token.text === "{" || token.text === "}")) inBraces = token.text === "{";
    // What cannot be read is plain, with all that follows.
    push(token.kind === "error" || token.kind === "end" ? text.length : token.end, kindOf(token, text, inBraces));
  }
  return pieces;
}

function kindOf(token: Token, text: string, inBraces: boolean): PieceKind {
  switch (token.kind) {
    case "number":
    case "duration":
      return "number";
    case "string":
      return "string";
    case "op":
      return "operator";
    case "word": {
      const lower = token.text.toLowerCase();
      if (inBraces) return "plain";
      if (keywords.has(lower)) return "keyword";
      return called.has(lower) && /^\s*(\(|by\b|without\b)/i.test(text.slice(token.end)) ? "function" : "metric";
    }
    case "error":
      return /["'`]/.test(token.text.charAt(0)) ? "string" : "plain";
    case "end":
      return "comment";
  }
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly kind: PieceKind;
}

/** What is wrong may begin or end within a piece. */
function cut(
  text: string,
  { start, end, kind }: Part,
  problem: Pick<QueryProblem, "start" | "end"> | undefined,
): readonly Piece[] {
  const from = problem === undefined ? end : Math.max(start, Math.min(end, problem.start));
  const to = problem === undefined ? end : Math.max(from, Math.min(end, problem.end));
  const parts = [
    { start, end: from, wrong: false },
    { start: from, end: to, wrong: true },
    { start: to, end, wrong: false },
  ];
  return parts
    .filter((part) => part.end > part.start)
    .map((part) => ({ start: part.start, text: text.slice(part.start, part.end), kind, wrong: part.wrong }));
}

export interface Mistake extends Pick<QueryProblem, "start" | "end" | "line" | "column" | "words"> {
  readonly hint: string | undefined;
}

/** Why a query cannot be read; undefined when it can, or is empty. */
export function mistakeOf(text: string): Mistake | undefined {
  if (text.trim() === "") return undefined;
  try {
    parse(text);
    return undefined;
  } catch (thrown) {
    return mistakeOfFault(thrown);
  }
}

function mistakeOfFault(thrown: unknown): Mistake | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const fault = thrown as Error & { readonly hint?: string };
  const problem = problemOf(fault as unknown as Parameters<typeof problemOf>[0]);
  if (problem === undefined) return undefined;
  const { start, end, line, column, words } = problem;
  return { start, end, line, column, words, hint: fault.hint };
}

/** What the hub says of a query that it cannot read, as a mistake; undefined when it names no place. */
export function refusalOf(
  text: string,
  fault: { readonly message: string; readonly hint: string | undefined },
): Mistake | undefined {
  const [, lineText, columnText, words = ""] =
    /(?:^|: )(\d+):(\d+): (?:parse error: )?(.*)$/s.exec(fault.message) ?? [];
  const [line, column] = [Number(lineText), Number(columnText)];
  if (!(line > 0) || !(column > 0)) return undefined;
  const before = text.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  if (start > text.length) return undefined;
  const token = lex(text).find((one) => one.start <= start && start < one.end);
  return { start, end: token?.end ?? Math.min(text.length, start + 1), line, column, words, hint: fault.hint };
}
