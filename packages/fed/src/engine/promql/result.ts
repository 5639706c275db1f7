import type { Labels } from "../series/labels.ts";
import type { Series } from "../series/series.ts";

/** One series of an answer, a cell for each step. */
export interface Column {
  readonly labels: Labels;
  /** One for each step; means nothing where nothing is present. */
  readonly values: Float64Array<ArrayBuffer>;
  /** 1 where there is a value, 0 in a gap. */
  readonly present: Uint8Array<ArrayBuffer>;
}

export interface Point {
  readonly labels: Labels;
  readonly value: number;
}

/** What a query yields. Times are milliseconds since the epoch. */
export type Answer =
  | { readonly kind: "scalar"; readonly atMs: number; readonly value: number }
  | { readonly kind: "string"; readonly atMs: number; readonly value: string }
  /** In no order, but for queries that order: `sort`, `sort_desc`, `topk`, `bottomk`. */
  | { readonly kind: "vector"; readonly atMs: number; readonly points: readonly Point[] }
  /** The cell `i` of a column is at `startMs + i * stepMs`. Sorted by labels. */
  | {
      readonly kind: "matrix";
      readonly startMs: number;
      readonly stepMs: number;
      readonly steps: number;
      readonly columns: readonly Column[];
    }
  /** Of a range selector at one moment: the samples with times of their own; the API calls it a matrix too. */
  | { readonly kind: "samples"; readonly series: readonly Series[] };

export interface Result {
  readonly answer: Answer;
  /** In words that end with the place in the query, `(line:column)`, when its text is known. Sorted, each once. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}
