import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeBlock } from "./block.ts";
import { syncFolder } from "./file.ts";
import { dropBefore, flushBefore, headOf } from "./head.ts";
import { blockFolder, headSeries, nextLayer, place } from "./maintain.ts";
import { replayMemory } from "./replay.ts";
import { load, shelfBlock } from "./shelf.ts";
import { forget, loggedSeries, type Stage, type Store } from "./store.ts";
import { tenantsOf } from "./tenant.ts";
import { dropTiers } from "./tier-build.ts";
import { Wal, type WalOptions } from "./wal.ts";

const usualSamples = 4_000_000;
/** A day's arena has room for a few series of few samples; there may be one for each day of some years. */
const growthBytes = 1 << 14;
const mostDays = 2_000;
/** Series come and go in a year, and those of the stage share the memory with the active ones. */
const mostSeries = 100_000;

/** What old samples waited for when the process ended, in the order it was acknowledged; the store's folder is there. */
export function openStage(
  store: Omit<Store, "stage" | "wal" | "outbox">,
  options: Omit<WalOptions, "series">,
  mostSamples = usualSamples,
): Stage {
  const folder = join(store.folder, "stage");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const memory = {
    postings: store.postings,
    limits: store.limits,
    head: headOf(store.daySpanMs, growthBytes),
    tenants: tenantsOf(),
  };
  const { old, newestMs } = replayMemory(memory, folder, store.shelf.damage, -Infinity);
  // Nothing is staged that is not older than what was sealed then, which the log may have had no reason to write down.
  store.sealedMs = Math.max(store.sealedMs, newestMs + 1);
  return {
    ...memory,
    folder,
    mostSamples,
    wal: new Wal(folder, { ...options, series: loggedSeries(memory) }, old, store.sealedMs),
  };
}

export function isStageFull({ head, mostSamples }: Stage): boolean {
  return head.samples >= mostSamples || head.arenas.length >= mostDays || head.count >= mostSeries;
}

/**
 * Writes what is staged into blocks, one for each day, that lie over what is there until both are merged. Cut short, what is
 * left is written the next time; what a crash leaves in the log as well is there twice, and read once.
 */
export async function flushStage(store: Store): Promise<void> {
  const { stage } = store;
  if (stage.wal.sizeBytes === 0 && stage.head.samples === 0) return;
  // Else the log would take later, and keep, what is no longer to come.
  await stage.wal.commit();
  flushBefore(stage.head, Infinity);
  for (const { startMs, endMs } of stage.head.arenas) {
    const end = Math.min(endMs, store.sealedMs);
    await dropTiers(store, startMs, end - 1);
    const isOver = store.blocks.some(({ file }) => file.startMs < end && file.endMs > startMs);
    const series = headSeries(stage, store, startMs, end);
    const layer = isOver ? nextLayer(store) : 0;
    const file = await writeBlock(blockFolder(store), startMs, end, series, undefined, layer);
    if (file !== undefined) {
      const block = shelfBlock(file);
      await load(store.shelf, block);
      place(store, block, []);
    }
    for (const gone of dropBefore(stage.head, endMs)) forget(stage, gone);
  }
  await stage.wal.sealed(store.sealedMs);
  // What is removed from blocks must not come again out of a file of the log that a power cut brings back.
  await syncFolder(stage.folder);
}
