import type { Matcher } from "../series/matcher.ts";

/** A part of the text of a query: from the first letter to the one after the last, counted in UTF-16 code units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type ValueType = "scalar" | "vector" | "matrix" | "string";

/** A query as a tree. What it yields is settled when it is parsed (`typeOf`): a query of the wrong type is no tree. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Aggregation
  | Call
  | Binary
  | Unary
  | Paren;

interface Node {
  readonly span: Span;
}

export interface NumberLiteral extends Node {
  readonly kind: "number";
  readonly value: number;
  /** Written as a duration, such as `5m`; `value` is in seconds. */
  readonly duration?: boolean;
}

export interface StringLiteral extends Node {
  readonly kind: "string";
  readonly value: string;
}

/** The moment of `@`: seconds turned into milliseconds, or an end of the range that is asked for. */
export type At =
  | { readonly kind: "time"; readonly atMs: number }
  | { readonly kind: "start" }
  | { readonly kind: "end" };

export interface VectorSelector extends Node {
  readonly kind: "vector";
  /** The metric's name as written before the braces; it is among the matchers too. */
  readonly name?: string;
  readonly matchers: readonly Matcher[];
  /** Milliseconds, negative into the future. */
  readonly offsetMs: number;
  readonly at?: At;
}

export interface MatrixSelector extends Node {
  readonly kind: "matrix";
  /** Holds the offset and `@` of the whole. */
  readonly selector: VectorSelector;
  readonly rangeMs: number;
}

export interface Subquery extends Node {
  readonly kind: "subquery";
  readonly expr: Expr;
  readonly rangeMs: number;
  /** 0: the default step of the evaluation. */
  readonly stepMs: number;
  readonly offsetMs: number;
  readonly at?: At;
}

export const aggregators = [
  "sum",
  "avg",
  "count",
  "min",
  "max",
  "group",
  "stddev",
  "stdvar",
  "topk",
  "bottomk",
  "count_values",
  "quantile",
] as const;

export interface Aggregation extends Node {
  readonly kind: "aggregation";
  readonly op: (typeof aggregators)[number];
  readonly expr: Expr;
  /** Of `topk`, `bottomk`, `quantile` (a scalar) and `count_values` (a string). */
  readonly param?: Expr;
  /** `by` these labels, or by all `without` these. Not written: `by` none, for which nothing need be written. */
  readonly grouping: { readonly kind: "by" | "without"; readonly labels: readonly string[]; readonly written: boolean };
}

/** The arguments of an aggregation as they are written: the parameter first. */
export function argumentsOf({ expr, param }: Aggregation): readonly Expr[] {
  return param === undefined ? [expr] : [param, expr];
}

export interface Call extends Node {
  readonly kind: "call";
  readonly func: string;
  readonly args: readonly Expr[];
}

export const arithmeticOps = ["+", "-", "*", "/", "%", "^", "atan2"] as const;
export const comparisonOps = ["==", "!=", "<", ">", "<=", ">="] as const;
export const setOps = ["and", "or", "unless"] as const;
export type BinaryOp = (typeof arithmeticOps)[number] | (typeof comparisonOps)[number] | (typeof setOps)[number];

/** How two vectors are brought together. */
export interface Matching {
  readonly cardinality: "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";
  /** `on` these labels alone, or on all but those of `ignoring`. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Of `group_left` and `group_right`: labels taken over from the "one" side. */
  readonly include: readonly string[];
  /** Of `fill`, `fill_left`, `fill_right`: the value of a side that has nothing to match. */
  readonly fill: { readonly left?: number; readonly right?: number };
}

export interface Binary extends Node {
  readonly kind: "binary";
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
  /** `bool` after a comparison: 0 and 1 instead of a filter. */
  readonly returnBool: boolean;
  /** Only between two vectors. */
  readonly matching?: Matching;
}

export interface Unary extends Node {
  readonly kind: "unary";
  readonly op: "+" | "-";
  readonly expr: Expr;
}

export interface Paren extends Node {
  readonly kind: "paren";
  readonly expr: Expr;
}
