import type { MessagePort } from "node:worker_threads";
import type { FaultCode } from "#base/fault.ts";
import type { Selection } from "../series/queryable.ts";
import type { Naming } from "./naming.ts";
import type { ParcelForm } from "./parcel.ts";
import type { TsdbOptions } from "./tsdb.ts";

/** What the store's thread is told when it starts. */
export interface Start {
  readonly folder: string;
  readonly options: Omit<TsdbOptions, "clock" | "measureDisk">;
}

/** What a store's thread is asked; `id` is the asker's number for it, under which the answer comes. */
export type Ask = { readonly id: number } & (
  | {
      readonly kind: "append" | "backfill";
      readonly series: Naming;
      readonly times: Float64Array;
      readonly values: Float64Array;
      readonly tenant: string;
    }
  /** Not answered itself: its first batches are, as if each were asked for by `next` under one of these numbers. */
  | { readonly kind: "select"; readonly selection: Selection; readonly first: readonly number[] }
  | { readonly kind: "series" | "labelNames"; readonly selection: Selection }
  | { readonly kind: "labelValues"; readonly selection: Selection; readonly name: string }
  /** The next batch of the select that `of` asked for. */
  | { readonly kind: "next"; readonly of: number }
  /** Nobody waits for `of` any more. */
  | { readonly kind: "end"; readonly of: number }
  | { readonly kind: "delete"; readonly selection: Pick<Selection, "matchers" | "startMs" | "endMs"> }
  /** Another asker. Not answered: what it asks is. */
  | { readonly kind: "connect"; readonly port: MessagePort }
  | { readonly kind: "cardinality"; readonly most: number }
  | { readonly kind: "follow"; readonly targets: readonly string[] }
  | { readonly kind: "parcel"; readonly target: string; readonly form: ParcelForm }
  | { readonly kind: "part"; readonly target: string; readonly begin: number; readonly end: number }
  | { readonly kind: "done"; readonly target: string }
  | { readonly kind: "backlog" }
  | { readonly kind: "maintain" | "verify" | "stats" | "close" }
);

export interface SentFault {
  readonly code: FaultCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: unknown;
}

/** `id` 0 is the answer to the start. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: SentFault };
