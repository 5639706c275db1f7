import type { FileHandle } from "node:fs/promises";
import type { Labels } from "../series/labels.ts";
import { type Series, type SummaryColumn, summaryColumns } from "../series/series.ts";
import { type BlockFile, blockPath, writeAtOnce } from "./block.ts";
import { indexWriter, type PageEntry } from "./block-index.ts";
import { wordsOf } from "./codec.ts";
import { writeWhole } from "./file.ts";
import { encodePage } from "./page.ts";
import { load, pageOf, placesOf, type Shelf, type ShelfBlock } from "./shelf.ts";
import { derive, type Summaries, sources } from "./tier-summary.ts";

/**
 * A file of summaries: as a block, but that behind each page of series, which holds the column `last`, stands a page for each
 * other column, so that one can be read without the others. A column that follows from others is left empty, and the times of first
 * samples are kept as the times of their page.
 */
export interface SummarySeries extends Summaries {
  readonly labels: Labels;
}

const mostSeries = 100;
/** In one page: a column of it is decompressed at once. */
const mostEntries = 1 << 18;
const nothing = new Float64Array(0);

/** As `writeBlock`: wholly or not at all, undefined when there are no series. They come in the order of their labels' keys. */
export async function writeSummaries(
  folder: string,
  startMs: number,
  endMs: number,
  series: AsyncIterable<SummarySeries>,
  wanted?: () => boolean,
): Promise<BlockFile | undefined> {
  const path = blockPath(folder, startMs, endMs, 0);
  const sizeBytes = await writeAtOnce(path, (file) => writeGroups(file, series), wanted);
  return sizeBytes === undefined ? undefined : { path, startMs, endMs, layer: 0, sizeBytes };
}

async function writeGroups(file: FileHandle, series: AsyncIterable<SummarySeries>): Promise<number> {
  const pages = openPages(file);
  let [group, entries]: [SummarySeries[], number] = [[], 0];
  for await (const one of series) {
    if (group.length > 0 && (group.length >= mostSeries || entries + one.times.length > mostEntries)) {
      await pages.write(group);
      [group, entries] = [[], 0];
    }
    group.push(one);
    entries += one.times.length;
  }
  if (group.length > 0) await pages.write(group);
  return await pages.end();
}

/** Pages of groups of series, one group after the other. */
function openPages(file: FileHandle) {
  const index = indexWriter();
  let at = 0;
  return {
    async write(group: readonly SummarySeries[]): Promise<void> {
      for (const name of summaryColumns) {
        const page = group.map((one) => columnOf(one, name));
        const data = encodePage(page);
        await writeWhole(file, data, at);
        const samples = page.reduce((sum, { values }) => sum + values.length, 0);
        index.add(
          at,
          data.length,
          samples,
          page.map(({ labels }) => labels),
        );
        at += data.length;
      }
    },
    async end(): Promise<number> {
      if (index.isEmpty()) return 0;
      const end = index.end();
      await writeWhole(file, end, at);
      return at + end.length;
    },
  };
}

function columnOf({ labels, times, columns }: SummarySeries, name: SummaryColumn): Series {
  if (name === "last") return { labels, times, values: columns.last };
  if (name === "firstTime") return { labels: [name], times: columns.firstTime, values: nothing };
  const from = sources[name]?.map((source) => columns[source]);
  const made = from && derive(name, from);
  return { labels: [name], times, values: made && isSame(made, columns[name]) ? nothing : columns[name] };
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  const [one, other] = [wordsOf(a), wordsOf(b)];
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/** Columns of a series in a file, in the order asked for. */
export interface SummaryPart {
  readonly times: Float64Array<ArrayBuffer>;
  readonly columns: readonly Float64Array<ArrayBuffer>[];
}

/** What a file has of a series; damaged pages are passed over and noted. The arrays may be shared: copy what is handed on. */
export async function readSummaries(
  shelf: Shelf,
  block: ShelfBlock,
  id: number,
  columns: readonly SummaryColumn[],
): Promise<readonly SummaryPart[]> {
  const parts: SummaryPart[] = [];
  for (const place of placesOf(block, id)) {
    const part = await readPart(shelf, block, place, columns);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

async function readPart(
  shelf: Shelf,
  block: ShelfBlock,
  place: number,
  columns: readonly SummaryColumn[],
): Promise<SummaryPart | undefined> {
  const known = new Map<SummaryColumn, Series | undefined>();
  const read = async (name: SummaryColumn): Promise<Series | undefined> => {
    if (!known.has(name)) known.set(name, await readColumn(shelf, block, place, name, read));
    return known.get(name);
  };
  const found: Series[] = [];
  for (const name of columns) {
    const one = await read(name);
    if (one === undefined) return undefined;
    found.push(one);
  }
  return { times: (found[0] as Series).times, columns: found.map(({ values }) => values) };
}

async function readColumn(
  shelf: Shelf,
  block: ShelfBlock,
  place: number,
  name: SummaryColumn,
  read: (name: SummaryColumn) => Promise<Series | undefined>,
): Promise<Series | undefined> {
  const number = pageNumber(block, Math.floor(place / 128), name);
  if (number === undefined) return undefined;
  const page = await pageOf(shelf, block, number * 128);
  if (page === undefined) return undefined;
  const column = page.read(place % 128);
  if (column.values.length > 0 || column.times.length === 0) return column;
  if (name === "firstTime") {
    const times = (await read("last"))?.times;
    return times && { ...column, times, values: column.times };
  }
  const from: Float64Array<ArrayBuffer>[] = [];
  for (const source of sources[name] ?? []) {
    const one = await read(source);
    if (one === undefined) return undefined;
    from.push(one.values);
  }
  const values = derive(name, from);
  return values && { ...column, values };
}

/** Columns stand right behind their series: where an index had to be gathered anew, another group's could come next. */
function pageNumber({ index }: ShelfBlock, first: number, name: SummaryColumn): number | undefined {
  if (name === "last" || index === undefined) return first;
  for (let number = first + 1; ; number++) {
    const [before, page] = [index.pages[number - 1] as PageEntry, index.pages[number]];
    if (page?.column === undefined || page.at !== before.at + before.sizeBytes) return undefined;
    if (page.column === name) return number;
  }
}

/** All of a series in a file, as it was written. */
export async function readAll(shelf: Shelf, block: ShelfBlock, id: number): Promise<readonly Summaries[]> {
  await load(shelf, block);
  const parts = await readSummaries(shelf, block, id, summaryColumns);
  return parts.map(({ times, columns }) => ({
    times,
    columns: Object.fromEntries(summaryColumns.map((name, i) => [name, columns[i]])) as unknown as Summaries["columns"],
  }));
}
