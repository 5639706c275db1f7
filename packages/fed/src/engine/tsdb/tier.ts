import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listBlocks } from "./block.ts";
import { type ShelfBlock, shelfBlock } from "./shelf.ts";

/** How long a stretch of time is of which one summary is kept, and how long these are kept. */
export interface TierOptions {
  readonly stepMs: number;
  /** For ever when left out. */
  readonly retainMs?: number | undefined;
}

/**
 * A tier: summaries of the samples of each day that is complete, in a folder of its own. A file is of one day, or of many that were
 * joined. Of two files for a day the shorter counts. They are made of the day's blocks, and can be made again while these
 * are there.
 */
export interface Tier {
  readonly stepMs: number;
  readonly folder: string;
  readonly retainMs: number;
  /** False for one that was found and nobody asks for: it is read, and left as it is. */
  readonly built: boolean;
  /** Days are joined up to files of this length. */
  readonly joinedDays: number;
  /** Replaced, never changed, so that a reader may hold it. */
  files: readonly ShelfBlock[];
  /** Starts of days whose blocks have changed since: not to be read in a file of many days. */
  stale: ReadonlySet<number>;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** 5 minutes and 1 hour, for as long as is said. */
export function usualTiers(fineMs = Infinity, coarseMs = Infinity): TierOptions[] {
  return [
    { stepMs: 5 * minuteMs, retainMs: fineMs },
    { stepMs: hourMs, retainMs: coarseMs },
  ];
}

const folderPattern = /^tier-(\d+)([mhs])$/;
const stalePattern = /^(\d+)\.stale$/;
const units = { s: 1000, m: minuteMs, h: hourMs } as const;

/** Of a tier, and of its folder: `5m`, `1h`. */
export function stepName(stepMs: number): string {
  for (const unit of ["h", "m"] as const) if (stepMs % units[unit] === 0) return `${stepMs / units[unit]}${unit}`;
  return `${stepMs / units.s}s`;
}

/** The tiers that are wanted and those that are there, the finest first. */
export function openTiers(folder: string, wanted: readonly TierOptions[], daySpanMs: number): Tier[] {
  const steps = new Map<number, TierOptions | undefined>();
  for (const name of readdirSync(folder)) {
    const [, count, unit] = folderPattern.exec(name) ?? [];
    if (count !== undefined) steps.set(Number(count) * units[unit as keyof typeof units], undefined);
  }
  for (const one of wanted) if (one.stepMs % units.s === 0 && daySpanMs % one.stepMs === 0) steps.set(one.stepMs, one);
  return [...steps].sort(([a], [b]) => a - b).map(([stepMs, options]) => openTier(folder, stepMs, options));
}

function openTier(parent: string, stepMs: number, options: TierOptions | undefined): Tier {
  const folder = join(parent, `tier-${stepName(stepMs)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = listBlocks(folder, (path) => rmSync(path, { force: true })).map(shelfBlock);
  const stale = new Set(
    readdirSync(folder)
      .flatMap((name) => stalePattern.exec(name)?.[1] ?? [])
      .map(Number),
  );
  const { retainMs = Infinity } = options ?? {};
  // A file of the finer tier has as many entries as one of the coarser.
  const joinedDays = stepMs < hourMs ? 30 : 120;
  return { stepMs, folder, retainMs, built: options !== undefined, joinedDays, files, stale };
}

export function stalePath({ folder }: Tier, dayMs: number): string {
  return join(folder, `${dayMs}.stale`);
}

/** The file that speaks for a day of this length; undefined when none does. */
export function fileOfDay({ files, stale }: Tier, startMs: number, lengthMs: number): ShelfBlock | undefined {
  let found: ShelfBlock | undefined;
  for (const one of files) {
    const { file } = one;
    if (file.startMs > startMs || file.endMs < startMs + lengthMs) continue;
    if (found === undefined || lengthOf(one) < lengthOf(found)) found = one;
  }
  const isJoined = found !== undefined && lengthOf(found) > lengthMs;
  return isJoined && stale.has(startMs) ? undefined : found;
}

export function lengthOf({ file }: ShelfBlock): number {
  return file.endMs - file.startMs;
}
