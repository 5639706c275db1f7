import type { Labels } from "./labels.ts";
import type { Matcher } from "./matcher.ts";
import type { Series, SummaryColumn } from "./series.ts";

/** Which series, and from when to when. */
export interface Selection {
  /** All must hold. */
  readonly matchers: readonly Matcher[];
  /** Milliseconds since the epoch, both ends included. */
  readonly startMs: number;
  readonly endMs: number;
  /** How the samples will be used, for a store that keeps coarser copies of old ones. */
  readonly hint?: SelectionHint | undefined;
  /** More series than these are a Fault `limited` before any sample is read; the store's own limit when left out. */
  readonly mostSeries?: number | undefined;
}

export interface SelectionHint {
  /** Between two moments that are asked for; 0 for one moment. */
  readonly stepMs: number;
  /** Length of the window before each moment; the look-back for an instant selector. */
  readonly rangeMs: number;
  /** The function around the selector, such as `rate` or `max_over_time`; undefined for none. */
  readonly func?: string | undefined;
  /** What summaries may tell instead of samples. Where samples are gone, the last ones of summaries are given unasked. */
  readonly summary?: SummaryWish | undefined;
}

export interface SummaryWish {
  /** At least one: it becomes the value. */
  readonly columns: readonly SummaryColumn[];
  /** Of so long stretches at most, instead of samples that are there; 0 for only where these are gone. */
  readonly mostMs: number;
}

/** The one interface between PromQL and any store. */
export interface Queryable {
  /**
   * The series that match and have a sample in the span, each once, in batches and in any order. Who asks owns the arrays.
   * Faults: `limited` beyond the store's limits, `timeout`, and what the signal carries.
   */
  select(selection: Selection, signal: AbortSignal): AsyncIterable<readonly Series[]>;
  /** The labels alone. */
  series(selection: Selection, signal: AbortSignal): Promise<readonly Labels[]>;
  /** Sorted, each once. */
  labelNames(selection: Selection, signal: AbortSignal): Promise<readonly string[]>;
  labelValues(name: string, selection: Selection, signal: AbortSignal): Promise<readonly string[]>;
}
