import type { Clock } from "#base/clock.ts";
import type { Labels } from "../series/labels.ts";
import { addSeries, type Head, type HeadSeries } from "./head.ts";
import { faultOfLabels, type Limits } from "./limit.ts";
import type { LogOutbox } from "./outbox.ts";
import { hold, labelsOfId, type Postings, release } from "./postings.ts";
import type { Shelf, ShelfBlock } from "./shelf.ts";
import type { Tier } from "./tier.ts";
import type { Wal } from "./wal.ts";

/** Samples in memory, and who brought their series. */
export interface Memory {
  readonly postings: Postings;
  readonly head: Head;
  readonly limits: Limits;
  /** How many series each has brought. */
  readonly tenants: Map<string, number>;
}

/** Old samples on their way into blocks: in memory, and in a log of their own. */
export interface Stage extends Memory {
  readonly folder: string;
  /** With so many it is written into blocks before it takes more. */
  readonly mostSamples: number;
  readonly wal: Wal;
}

/** What the parts of the store share. */
export interface Store extends Memory {
  readonly folder: string;
  readonly clock: Clock;
  readonly shelf: Shelf;
  readonly wal: Wal;
  readonly outbox: LogOutbox;
  readonly stage: Stage;
  /** The finest first. */
  readonly tiers: readonly Tier[];
  readonly spanMs: number;
  readonly daySpanMs: number;
  readonly retainMs: number;
  readonly retainBytes: number;
  /** By time. Replaced, never changed, so that a reader may hold it. */
  blocks: readonly ShelfBlock[];
  /** Samples before it are refused. */
  floorMs: number;
  /** Samples before it are in blocks. */
  sealedMs: number;
}

/** The series in memory, made when it is new; a text when it may not be. */
export function seriesOf(
  memory: Memory,
  labels: Labels,
  tenant: string,
  limits: Limits = memory.limits,
): HeadSeries | string {
  const known = memory.postings.ids.get(labels.join("\u0000"));
  const there = known === undefined ? undefined : memory.head.series.get(known);
  if (there !== undefined && labels.length === there.labels.length) return there;
  const wrong = faultOfLabels(labels, limits);
  if (wrong !== undefined) return wrong;
  const all = memory.head.series.size;
  if (all >= limits.series) return `the store has ${all} active series, for which it has memory; no more are allowed`;
  const count = memory.tenants.get(tenant) ?? 0;
  if (count >= limits.seriesPerTenant) {
    return `tenant ${JSON.stringify(tenant)} has ${count} active series; no more are allowed`;
  }
  const id = hold(memory.postings, labels);
  memory.tenants.set(tenant, count + 1);
  return addSeries(memory.head, id, labelsOfId(memory.postings, id), tenant);
}

/** When a series has left the head. */
export function forget(memory: Memory, series: HeadSeries): void {
  const left = (memory.tenants.get(series.tenant) ?? 1) - 1;
  if (left > 0) memory.tenants.set(series.tenant, left);
  else memory.tenants.delete(series.tenant);
  release(memory.postings, series.id);
}
