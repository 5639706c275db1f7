import { wordsOf } from "./codec.ts";
import { addSample, dropSeries, type HeadSeries } from "./head.ts";
import { noLimits } from "./limit.ts";
import { removeInHead } from "./maintain.ts";
import { forget, type Store, seriesOf } from "./store.ts";
import { readSealed, readWal } from "./wal.ts";
import type { WalRecord } from "./wal-record.ts";

type Old = ReturnType<typeof readWal>["old"];

/** Puts what the log has, and no block has, into the head again. */
export function replay(store: Store, folder: string): { readonly old: Old; readonly newestMs: number } {
  store.sealedMs = Math.max(store.sealedMs, readSealed(folder));
  let newestMs = store.sealedMs;
  let [current, named] = [0, new Map<number, HeadSeries>()];
  const { old, damage } = readWal(folder, (record, file) => {
    if (file !== current) [current, named] = [file, new Map()];
    if (record.kind === "delete") removeInHead(store, record);
    if (record.kind === "samples") newestMs = Math.max(newestMs, replaySamples(store, record, named, file));
  });
  for (const found of damage) store.shelf.damage.set(`${found.file}: ${found.what}`, found);
  for (const series of [...store.head.series.values()]) {
    if (series.lastMs !== -Infinity) continue;
    dropSeries(store.head, series);
    forget(store, series);
  }
  return { old, newestMs };
}

function replaySamples(
  store: Store,
  { named, rows }: Extract<WalRecord, { kind: "samples" }>,
  known: Map<number, HeadSeries>,
  file: number,
): number {
  for (const { id, tenant, labels } of named) {
    const series = seriesOf(store, labels, tenant, noLimits);
    if (typeof series !== "string") known.set(id, series);
  }
  const words = wordsOf(rows.values);
  let [newestMs, lost] = [-Infinity, 0];
  for (const [row, time] of rows.times.entries()) {
    if (time < store.sealedMs) continue;
    const series = known.get(rows.ids[row] as number);
    if (series === undefined) lost++;
    else {
      addSample(store.head, series, time, words[2 * row] as number, words[2 * row + 1] as number);
      newestMs = Math.max(newestMs, time);
    }
  }
  if (lost > 0) {
    const what = `${lost} samples are of series whose names were in a part that cannot be read`;
    store.shelf.damage.set(`${file}: ${what}`, { file: `${String(file).padStart(10, "0")}.wal`, what });
  }
  return newestMs;
}
