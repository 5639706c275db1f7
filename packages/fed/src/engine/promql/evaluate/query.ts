import type { Labels } from "../../series/labels.ts";
import type { Queryable } from "../../series/queryable.ts";
import type { Expr } from "../ast.ts";
import type { Budget } from "./budget.ts";
import type { Notes } from "./note.ts";

/** The moments at which an expression is evaluated: those of the query, or the finer ones of a subquery. */
export interface Frame {
  readonly startMs: number;
  /** Above 0 even for one step. */
  readonly stepMs: number;
  readonly steps: number;
}

/** A series while it is worked on. Who gets it owns it: cells may be written over. */
export interface Draft {
  labels: Labels;
  /** The name is to go at the end of the query; only under `delayNames`. */
  dropName: boolean;
  readonly values: Float64Array<ArrayBuffer>;
  readonly present: Uint8Array<ArrayBuffer>;
}

export type Visit = (draft: Draft) => void;

/** What every part of an evaluation shares. */
export interface Query {
  /** Of the whole query, for `@ start()` and `@ end()`. */
  readonly startMs: number;
  readonly endMs: number;
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
  /** Names are dropped at the end, not where an operation makes them wrong. */
  readonly delayNames: boolean;
  readonly queryable: Queryable;
  readonly budget: Budget;
  readonly notes: Notes;
  readonly signal: AbortSignal;
  /** Hands over the series of an instant vector one after the other, none empty. */
  stream(expr: Expr, frame: Frame, visit: Visit): Promise<void>;
  /** The values of a scalar, one for each step. */
  scalar(expr: Expr, frame: Frame): Promise<Float64Array<ArrayBuffer>>;
}

export function emptyDraft(labels: Labels, frame: Frame): Draft {
  const values = new Float64Array(frame.steps);
  return { labels, dropName: false, values, present: new Uint8Array(frame.steps) };
}

/** All series of an instant vector; they count as held points. */
export async function collect(query: Query, expr: Expr, frame: Frame): Promise<Draft[]> {
  const drafts: Draft[] = [];
  await query.stream(expr, frame, (draft) => {
    query.budget.hold(frame.steps);
    drafts.push(draft);
  });
  return drafts;
}

/** Does something for each and gives way to others meanwhile. */
export async function eachInTurn<T>(query: Query, items: Iterable<T>, work: (item: T) => void): Promise<void> {
  for (const item of items) {
    work(item);
    if (query.budget.due) await query.budget.rest();
  }
}

export function momentMs(frame: Frame, step: number): number {
  return frame.startMs + step * frame.stepMs;
}

export function isEmpty(draft: Draft): boolean {
  return !draft.present.includes(1);
}

/** Without parentheses around it. */
export function bare(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === "paren") inner = inner.expr;
  return inner;
}
