import type { Labels } from "../series/labels.ts";
import type { Refusal } from "./refusal.ts";

/** Rows: the nth sample is of the series `labels[n]`. Pass the same labels for the same series: then it is found at once. */
export interface Batch {
  readonly labels: readonly Labels[];
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** As an array of labels, which may be made when they are asked for. */
export interface LabelRows {
  readonly length: number;
  at(row: number): Labels | undefined;
}

/** A batch of who knows series by the store's numbers. */
export interface NumberedBatch extends Pick<Batch, "times" | "values"> {
  readonly labels: LabelRows;
  /** The numbers of the rows' series, as `Tsdb.name` gave them; 0 for one that is not known. */
  readonly found?: Uint32Array | undefined;
}

export interface Appended {
  readonly added: number;
  /** Samples that were there already, with this value. */
  readonly same: number;
  readonly refused: number;
  /** The first ones, by name. */
  readonly refusals: readonly Refusal[];
}

/** So many refusals are named. */
export const namedRefusals = 10;

/** The answers to two parts of a batch as one: of the rows `appended`, which the first counts from 0, and of the others. */
export function joinAnswers(appended: Appended, rows: readonly number[], others: Appended): Appended {
  const renamed = appended.refusals.map((one) => ({ ...one, row: rows[one.row] as number }));
  const refusals = [...renamed, ...others.refusals].sort((a, b) => a.row - b.row);
  return {
    added: appended.added + others.added,
    same: appended.same + others.same,
    refused: appended.refused + others.refused,
    refusals: refusals.slice(0, namedRefusals),
  };
}
