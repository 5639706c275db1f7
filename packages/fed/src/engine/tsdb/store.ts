import type { Clock } from "#base/clock.ts";
import type { Labels } from "../series/labels.ts";
import { addSeries, type Head, type HeadSeries } from "./head.ts";
import { faultOfLabels, type Limits } from "./limit.ts";
import type { LogOutbox } from "./outbox.ts";
import { hold, labelsOfId, type Postings, release } from "./postings.ts";
import type { Shelf, ShelfBlock } from "./shelf.ts";
import type { Wal } from "./wal.ts";

/** What the parts of the store share. */
export interface Store {
  readonly folder: string;
  readonly clock: Clock;
  readonly postings: Postings;
  readonly head: Head;
  readonly shelf: Shelf;
  readonly wal: Wal;
  readonly outbox: LogOutbox;
  readonly limits: Limits;
  readonly spanMs: number;
  readonly daySpanMs: number;
  readonly retainMs: number;
  readonly retainBytes: number;
  readonly tenants: Map<string, number>;
  /** By time. Replaced, never changed, so that a reader may hold it. */
  blocks: readonly ShelfBlock[];
  /** Samples before it are refused. */
  floorMs: number;
  /** Samples before it are in blocks. */
  sealedMs: number;
}

/** The series in memory, made when it is new; a text when it may not be. */
export function seriesOf(
  store: Store,
  labels: Labels,
  tenant: string,
  limits: Limits = store.limits,
): HeadSeries | string {
  const known = store.postings.ids.get(labels.join("\u0000"));
  const there = known === undefined ? undefined : store.head.series.get(known);
  if (there !== undefined && labels.length === there.labels.length) return there;
  const wrong = faultOfLabels(labels, limits);
  if (wrong !== undefined) return wrong;
  const count = store.tenants.get(tenant) ?? 0;
  if (count >= limits.seriesPerTenant) {
    return `tenant ${JSON.stringify(tenant)} has ${count} active series; no more are allowed`;
  }
  const id = hold(store.postings, labels);
  store.tenants.set(tenant, count + 1);
  return addSeries(store.head, id, labelsOfId(store.postings, id), tenant);
}

/** When a series has left the head. */
export function forget(store: Store, series: HeadSeries): void {
  store.tenants.set(series.tenant, (store.tenants.get(series.tenant) ?? 1) - 1);
  release(store.postings, series.id);
}
