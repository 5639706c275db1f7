import { join } from "node:path";
import type { Labels } from "../series/labels.ts";
import { wordsOf } from "./codec.ts";
import type { Damage } from "./file.ts";
import { addSample, dropSeries, hasSeries, lastMsOf, seriesIn } from "./head.ts";
import { noLimits } from "./limit.ts";
import { removeInHead } from "./maintain.ts";
import { forget, type Memory, type Store, seriesOf } from "./store.ts";
import { readSealed, readWal } from "./wal.ts";
import type { WalRecord } from "./wal-record.ts";

type Removal = Extract<WalRecord, { kind: "delete" }>;
type Old = ReturnType<typeof readWal>["old"];

interface Replayed {
  readonly old: Old;
  /** Of what was put in; -Infinity for nothing. */
  readonly newestMs: number;
}

/** Puts what the log has, and no block has, into the head again. */
export function replay(store: Store, folder: string): Replayed {
  store.sealedMs = Math.max(store.sealedMs, readSealed(folder));
  const remove = (record: Removal) => removeInHead(store, record);
  const { old, newestMs } = replayMemory(store, folder, store.shelf.damage, store.sealedMs, remove);
  return { old, newestMs: Math.max(newestMs, store.sealedMs) };
}

/** What a log has from `sinceMs` on. */
export function replayMemory(
  memory: Memory,
  folder: string,
  damaged: Map<string, Damage>,
  sinceMs: number,
  remove: (record: Removal) => void = () => {},
): Replayed {
  let newestMs = -Infinity;
  let [current, named] = [0, new Map<number, Known>()];
  const note = (found: Damage) => damaged.set(`${found.file}: ${found.what}`, found);
  const { old, damage } = readWal(folder, (record, file) => {
    if (file !== current) [current, named] = [file, new Map()];
    if (record.kind === "delete") remove(record);
    if (record.kind !== "samples") return;
    const replayed = replaySamples(memory, record, named, sinceMs);
    newestMs = Math.max(newestMs, replayed.newestMs);
    if (replayed.lost === 0) return;
    const what = `${replayed.lost} samples are of series whose names were in a part that cannot be read`;
    note({ file: join(folder, `${String(file).padStart(10, "0")}.wal`), what });
  });
  for (const found of damage) note(found);
  for (const id of seriesIn(memory.head)) {
    if (lastMsOf(memory.head, id) === -Infinity) forget(memory, dropSeries(memory.head, id));
  }
  return { old, newestMs };
}

/** A series by the number that a file of the log names it by: its own, and who it is, for when it has been dropped meanwhile. */
interface Known {
  series: number;
  readonly labels: Labels;
  readonly tenant: string;
}

function replaySamples(
  memory: Memory,
  { named, rows }: Extract<WalRecord, { kind: "samples" }>,
  known: Map<number, Known>,
  sinceMs: number,
): { readonly newestMs: number; readonly lost: number } {
  for (const { id, tenant, labels } of named) {
    const series = seriesOf(memory, labels, tenant, noLimits);
    if (typeof series !== "string") known.set(id, { series, labels, tenant });
  }
  const words = wordsOf(rows.values);
  let [newestMs, lost] = [-Infinity, 0];
  for (const [row, time] of rows.times.entries()) {
    if (time < sinceMs) continue;
    const series = numberOf(memory, known.get(rows.ids[row] as number));
    if (series === undefined) lost++;
    else {
      addSample(memory.head, series, time, words[2 * row] as number, words[2 * row + 1] as number);
      newestMs = Math.max(newestMs, time);
    }
  }
  return { newestMs, lost };
}

/** A series that a delete has taken is made again by the samples that came after it, which need not name it again. */
function numberOf(memory: Memory, known: Known | undefined): number | undefined {
  if (known === undefined || hasSeries(memory.head, known.series)) return known?.series;
  const again = seriesOf(memory, known.labels, known.tenant, noLimits);
  if (typeof again === "string") return undefined;
  known.series = again;
  return again;
}
