import type { FaultCode } from "#base/fault.ts";
import type { ExpositionFormat, MetricNote } from "#engine/exposition/text.ts";
import type { Matcher } from "#engine/series/matcher.ts";
import type { Range, Span } from "./metric.ts";

export type Selectors = readonly (readonly Matcher[])[];

/** What is asked of the metrics, whose answer is JSON in Prometheus' envelope. `limit` 0 is none. */
export type Question = { readonly limit: number } & (
  | { readonly kind: "query"; readonly text: string; readonly range: Range; readonly timeoutMs: number }
  | { readonly kind: "series"; readonly selectors: Selectors; readonly span: Span }
  | { readonly kind: "labelNames"; readonly selectors: Selectors; readonly span: Span }
  | { readonly kind: "labelValues"; readonly name: string; readonly selectors: Selectors; readonly span: Span }
);

/** Samples as they were sent: remote write 1.0, packed by snappy; or an exposition. */
export type Sent = { readonly bytes: Uint8Array<ArrayBuffer> } & (
  | { readonly kind: "write" }
  | {
      readonly kind: "text";
      readonly format: ExpositionFormat;
      /** For lines without a time of their own; undefined when they are not taken. */
      readonly timeMs: number | undefined;
      /** What the first line is called; 1 when left out. */
      readonly firstLine?: number;
    }
);

/** What the thread is told; `id` is the hub's number for it, under which the answer comes. */
export type Order = { readonly id: number } & (
  | { readonly kind: "ask"; readonly question: Question }
  | { readonly kind: "keep"; readonly sent: Sent; readonly tenant: string }
  /** A piece has been taken: there may be another one on the way. */
  | { readonly kind: "more" }
  /** Nobody waits for the answer any more; it is to end all the same, soon and by a fault. */
  | { readonly kind: "end" }
);

/** What has been kept of what was sent. */
export interface Kept {
  readonly added: number;
  /** Was here already. */
  readonly same: number;
  /** Could not be read or was not taken. */
  readonly refused: number;
  /** Why, of the first. */
  readonly words: readonly string[];
  /** What metrics say of themselves, when it is new. */
  readonly notes: readonly MetricNote[];
}

export type Reply = { readonly id: number } & (
  | { readonly kind: "piece"; readonly piece: Uint8Array<ArrayBuffer>; readonly last: boolean }
  | { readonly kind: "kept"; readonly kept: Kept }
  | {
      readonly kind: "fault";
      readonly code: FaultCode;
      readonly message: string;
      readonly hint: string | undefined;
      readonly details: unknown;
      /** The query was good and its evaluation failed. */
      readonly executing: boolean;
    }
);
