import { Fault } from "#base/fault.ts";
import type { Span } from "./ast.ts";

export type LeftOut = "experimental" | "native histograms";

/** Where a query is wrong; the `details` of the Fault `invalid` that a parser throws. */
export interface QueryProblem extends Span {
  /** Counted from 1; columns in UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  /** What is wrong, without the position. */
  readonly words: string;
  /** The query may be right, but needs what is left out here by choice. */
  readonly leftOut?: LeftOut;
}

interface ProblemOptions {
  readonly hint?: string | undefined;
  readonly leftOut?: LeftOut;
}

/** The fault of a query that cannot be understood. Its message begins with `line:column: `. */
export function problemFault(query: string, span: Span, words: string, options: ProblemOptions = {}): Fault {
  const { line, column } = placeOf(query, span.start);
  const { leftOut } = options;
  const details: QueryProblem = { start: span.start, end: span.end, line, column, words, ...(leftOut && { leftOut }) };
  return new Fault("invalid", `${line}:${column}: ${words}`, { hint: options.hint, details });
}

/** What a parser's fault says about the query; undefined for a fault of another origin. */
export function problemOf(fault: Fault): QueryProblem | undefined {
  const details = fault.details;
  if (fault.code !== "invalid" || typeof details !== "object" || details === null) return undefined;
  return "words" in details && "start" in details && "column" in details ? (details as QueryProblem) : undefined;
}

export function placeOf(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  const line = before.split("\n").length;
  return { line, column: index - before.lastIndexOf("\n") };
}

/** The line of the query that is wrong and, below it, carets under the part that is. */
export function excerpt(query: string, problem: QueryProblem): string {
  const text = query.split("\n")[problem.line - 1] ?? "";
  const from = problem.column - 1;
  const length = Math.max(1, Math.min(problem.end - problem.start, text.length - from));
  const indent = text.slice(0, from).replaceAll(/[^\t]/g, " ");
  return `${text}\n${indent}${"^".repeat(length)}`;
}
