import { setImmediate as breathe } from "node:timers/promises";
import { Fault } from "#base/fault.ts";
import type { Labels } from "../series/labels.ts";
import { flushStage, isStageFull } from "./backfill-stage.ts";
import { type Appended, type NumberedBatch, namedRefusals } from "./batch.ts";
import { wordsOf } from "./codec.ts";
import { type Added, addAbsent, hasSeries, lastMsOf, readHead } from "./head.ts";
import { compact } from "./maintain.ts";
import { idOf } from "./postings.ts";
import { readWhole } from "./reader.ts";
import { type Refusal, refusalOf, refusalOfAge, refusalOfSeries } from "./refusal.ts";
import { load, type ShelfBlock } from "./shelf.ts";
import { type Store, seriesOf } from "./store.ts";

/** A day's layers are merged with what they lie over when they are so many; sooner at maintenance. */
const mostLayers = 8;
/** After so long the thread is given back for a moment. */
const longestMs = 5;

/** The rows of a batch that are of one series. */
interface Group {
  readonly labels: Labels;
  readonly rows: number[];
  startMs: number;
  endMs: number;
}

interface Refused {
  readonly row: number;
  readonly became: Added | string | undefined;
}

/** Which rows are for `append`, and which are of times before `floorMs`. */
export function splitRows(
  { labels, times, values }: NumberedBatch,
  floorMs: number,
): { recent: number[]; old: number[] } {
  if (labels.length !== times.length || times.length !== values.length) {
    throw new Fault("invalid", "a batch needs as many times and values as labels");
  }
  const [recent, old]: [number[], number[]] = [[], []];
  for (let row = 0; row < times.length; row++) ((times[row] as number) < floorMs ? old : recent).push(row);
  return { recent, old };
}

export function takeRows({ labels, times, values }: NumberedBatch, rows: readonly number[]): NumberedBatch {
  const [words, taken] = [wordsOf(values), new Float64Array(rows.length)];
  const takenWords = wordsOf(taken);
  for (const [at, row] of rows.entries()) {
    takenWords[2 * at] = words[2 * row] as number;
    takenWords[2 * at + 1] = words[2 * row + 1] as number;
  }
  return {
    labels: rows.map((row) => labels.at(row) as Labels),
    times: Float64Array.from(rows, (row) => times[row] as number),
    values: taken,
  };
}

/**
 * Takes rows of before `store.sealedMs` into the stage, where queries see them. The caller sees to it that nothing else
 * works on the blocks meanwhile. When it returns, they are as durable as the store promises.
 */
export async function stageRows(
  store: Store,
  batch: NumberedBatch,
  rows: Iterable<number>,
  tenant: string,
): Promise<Appended> {
  const { stage } = store;
  if (stage.wal.trouble !== undefined) await stage.wal.commit();
  if (isStageFull(stage)) {
    await flushStage(store);
    await compact(store, mostLayers);
  }
  const earliest = Math.max(0, store.clock.nowMs() - store.retainMs);
  const refused: Refused[] = [];
  const counts = { added: 0, same: 0 };
  const groups = groupRows(batch, rows, earliest, refused);
  let since = store.clock.tickMs();
  for (const group of groups) {
    await stageGroup(store, batch, group, tenant, counts, refused);
    if (store.clock.tickMs() - since < longestMs) continue;
    await breathe();
    since = store.clock.tickMs();
  }
  await stage.wal.commit();
  refused.sort((a, b) => a.row - b.row);
  const refusals = refused.slice(0, namedRefusals).map((one) => nameRefused(batch, one, earliest));
  return { ...counts, refused: refused.length, refusals };
}

function groupRows(
  { labels, times }: NumberedBatch,
  rows: Iterable<number>,
  earliest: number,
  refused: Refused[],
): Group[] {
  const groups = new Map<Labels, Group>();
  for (const row of rows) {
    const time = times[row] as number;
    const one = labels.at(row) as Labels;
    if (!(time >= earliest && Number.isInteger(time))) {
      refused.push({ row, became: undefined });
      continue;
    }
    const group = groups.get(one) ?? { labels: one, rows: [], startMs: time, endMs: time };
    groups.set(one, group);
    group.rows.push(row);
    if (time < group.startMs) group.startMs = time;
    if (time > group.endMs) group.endMs = time;
  }
  return [...groups.values()];
}

async function stageGroup(
  store: Store,
  { times, values }: NumberedBatch,
  group: Group,
  tenant: string,
  counts: { added: number; same: number },
  refused: Refused[],
): Promise<void> {
  const { stage } = store;
  const there = await readThere(store, group);
  const words = wordsOf(values);
  let series: number | string | undefined;
  let taken = -1;
  // Of two rows for a time the first counts: the sort keeps their order.
  for (const row of group.rows.sort((one, other) => (times[one] as number) - (times[other] as number))) {
    const [time, low, high] = [times[row] as number, words[2 * row] as number, words[2 * row + 1] as number];
    let became: Added | string | undefined =
      times[taken] === time ? sameOrOther(words, taken, low, high) : judge(there, time, low, high);
    if (became === undefined) {
      series ??= seriesOf(stage, group.labels, tenant);
      if (typeof series === "string") became = series;
      else {
        addAbsent(stage.head, series, time, low, high);
        stage.wal.add(series, time, low, high);
        became = "added";
        taken = row;
      }
    }
    if (became === "added" || became === "same") counts[became]++;
    else refused.push({ row, became });
  }
}

interface There {
  readonly times: Float64Array;
  readonly words: Uint32Array;
}

/** What blocks and the stage have of the series, around the rows. */
async function readThere(store: Store, { labels, startMs, endMs }: Group): Promise<readonly There[]> {
  const { stage } = store;
  const blocks: ShelfBlock[] = [];
  for (const block of store.blocks) {
    if (block.file.startMs > endMs || block.file.endMs <= startMs) continue;
    await load(store.shelf, block);
    blocks.push(block);
  }
  const id = idOf(store.postings, labels);
  const there: There[] = [];
  if (id === 0) return there;
  for (const block of blocks) {
    for (const { times, values } of await readWhole(store, block, id)) there.push({ times, words: wordsOf(values) });
  }
  if (!hasSeries(stage.head, id) || startMs > lastMsOf(stage.head, id)) return there;
  const { times, values } = readHead(stage.head.arenas, stage.head, id, startMs, endMs);
  return [...there, { times, words: wordsOf(values) }];
}

/** Undefined when the time is free. */
function judge(there: readonly There[], time: number, low: number, high: number): "same" | "other value" | undefined {
  for (const { times, words } of there) {
    const at = firstAtLeast(times, time);
    if (times[at] === time) return sameOrOther(words, at, low, high);
  }
  return undefined;
}

function sameOrOther(words: Uint32Array, at: number, low: number, high: number): "same" | "other value" {
  return words[2 * at] === low && words[2 * at + 1] === high ? "same" : "other value";
}

function firstAtLeast(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nameRefused({ labels, times }: NumberedBatch, { row, became }: Refused, earliest: number): Refusal {
  const at = { labels: labels.at(row) as Labels, time: times[row] as number, row };
  if (became === undefined && at.time < earliest) return refusalOfAge(at, earliest);
  if (became === undefined || became === "other value") return refusalOf(at, became, earliest, Infinity);
  return refusalOfSeries(at.labels, row, became);
}
