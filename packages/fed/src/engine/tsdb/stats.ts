import { toFault } from "#base/fault.ts";
import { costsOf, type MetricCost } from "./cost.ts";
import type { Damage } from "./file.ts";
import { type Head, hasSeries, seriesIn } from "./head.ts";
import { load } from "./shelf.ts";
import type { Store } from "./store.ts";

export interface TsdbStats {
  /** With samples in memory. */
  readonly activeSeries: number;
  readonly headSamples: number;
  readonly walBytes: number;
  readonly blockBytes: number;
  readonly blockSamples: number;
  readonly blocks: readonly {
    readonly startMs: number;
    readonly endMs: number;
    readonly sizeBytes: number;
    readonly samples: number;
  }[];
  /** Summaries of old samples, the finest first. */
  readonly tiers: readonly {
    readonly stepMs: number;
    readonly files: number;
    readonly sizeBytes: number;
    readonly summaries: number;
  }[];
  /** Samples before this are in blocks, and refused when they come now. */
  readonly closedMs: number;
  /** The metrics that cost most on the disk, by the newest blocks, of which so many bytes were looked at. */
  readonly metrics: readonly MetricCost[];
  readonly metricsOfBytes: number;
  /** What keeps the store from writing now, in words. */
  readonly trouble: string | undefined;
  readonly damage: readonly Damage[];
}

const namedMetrics = 20;

/** `trouble`: what keeps the store from writing besides what its logs know of. */
export async function statsOf(store: Store, trouble: unknown): Promise<TsdbStats> {
  const { blocks, shelf, head, wal, stage, floorMs } = store;
  const found = [];
  for (const block of blocks) {
    const { startMs, endMs, sizeBytes } = block.file;
    found.push({ startMs, endMs, sizeBytes, samples: (await load(shelf, block)).samples });
  }
  const { metrics, ofBytes } = await costsOf(store, namedMetrics);
  return {
    activeSeries: countSeries(head, stage.head),
    headSamples: head.samples + stage.head.samples,
    walBytes: wal.sizeBytes + stage.wal.sizeBytes,
    blockBytes: found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    blockSamples: found.reduce((sum, { samples }) => sum + samples, 0),
    blocks: found,
    tiers: await statsOfTiers(store),
    closedMs: floorMs,
    metrics,
    metricsOfBytes: ofBytes,
    trouble: troubleOf(wal.trouble ?? stage.wal.trouble ?? trouble),
    damage: [...shelf.damage.values()],
  };
}

function countSeries(head: Head, staged: Head): number {
  let count = head.count;
  for (const id of seriesIn(staged)) if (!hasSeries(head, id)) count++;
  return count;
}

async function statsOfTiers({ tiers, shelf }: Store): Promise<TsdbStats["tiers"]> {
  const found = [];
  for (const { stepMs, files } of tiers) {
    let [sizeBytes, summaries] = [0, 0];
    for (const file of files) {
      sizeBytes += file.file.sizeBytes;
      summaries += (await load(shelf, file)).samples;
    }
    found.push({ stepMs, files: files.length, sizeBytes, summaries });
  }
  return found;
}

function troubleOf(thrown: unknown): string | undefined {
  return thrown === undefined ? undefined : toFault(thrown).message;
}
