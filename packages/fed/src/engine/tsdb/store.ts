import type { Clock } from "#base/clock.ts";
import type { Labels } from "../series/labels.ts";
import { addSeries, type Dropped, type Head, hasSeries, setWalFile, tenantOf, walFileOf } from "./head.ts";
import { faultOfLabels, type Limits } from "./limit.ts";
import type { LogOutbox } from "./outbox.ts";
import { hold, idOf, isHeld, labelsOfId, type Postings, release } from "./postings.ts";
import type { Shelf, ShelfBlock } from "./shelf.ts";
import { addTo, countOf, type Tenants, takeFrom } from "./tenant.ts";
import type { Tier } from "./tier.ts";
import type { LoggedSeries, Wal } from "./wal.ts";

/** Samples in memory, and who brought their series. */
export interface Memory {
  readonly postings: Postings;
  readonly head: Head;
  readonly limits: Limits;
  readonly tenants: Tenants;
  /** Missing while the store is opened. */
  readonly wal?: Wal;
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
): number | string {
  const { postings, head, tenants } = memory;
  const known = idOf(postings, labels);
  if (known > 0 && hasSeries(head, known)) return known;
  const wrong = faultOfLabels(labels, limits);
  if (wrong !== undefined) return wrong;
  const all = head.count;
  if (all >= limits.series) return `the store has ${all} active series, for which it has memory; no more are allowed`;
  const count = countOf(tenants, tenant);
  if (count >= limits.seriesPerTenant) {
    return `tenant ${JSON.stringify(tenant)} has ${count} active series; no more are allowed`;
  }
  const id = hold(postings, labels);
  addSeries(head, id, addTo(tenants, tenant));
  return id;
}

/** When a series has left the head. */
export function forget(memory: Memory, { id, tenant }: Dropped): void {
  const { postings, tenants } = memory;
  memory.wal?.keepName(id, () => ({ id, tenant: tenants.names[tenant] as string, labels: labelsOfId(postings, id) }));
  takeFrom(tenants, tenant);
  release(postings, id);
}

/** What a log has to know of the series in memory. */
export function loggedSeries({ postings, head, tenants }: Memory): LoggedSeries {
  return {
    fileOf: (id) => walFileOf(head, id),
    setFile: (id, file) => setWalFile(head, id, file),
    nameOf(id) {
      if (!isHeld(postings, id)) return undefined;
      return { id, tenant: tenants.names[tenantOf(head, id)] ?? "", labels: labelsOfId(postings, id) };
    },
  };
}
