import { type FileHandle, open } from "node:fs/promises";
import { errorCode, fileFault } from "#disk/file-fault.ts";
import type { Labels } from "../series/labels.ts";
import { type BlockFile, readIndex, readPage } from "./block.ts";
import type { NamedPage, PageEntry } from "./block-index.ts";
import { type Damage, isLost } from "./file.ts";
import type { Page } from "./page.ts";
import { hold, labelsOfId, type Postings, release } from "./postings.ts";

/** A block that is in use: its file is opened, and its index read, when somebody first asks. */
export interface ShelfBlock {
  readonly file: BlockFile;
  /** Its own, also when another block has its name later. */
  readonly serial: number;
  handle: FileHandle | undefined;
  index: ShelfIndex | undefined;
  loading: Promise<ShelfIndex> | undefined;
  /** Who reads it now; the file is closed once it is removed and nobody does. */
  readers: number;
  removed: boolean;
  /** Known to have lost something. */
  damaged: boolean;
}

interface ShelfIndex {
  readonly pages: readonly PageEntry[];
  /** Ascending, and for each the number of its page and its place there: page * 128 + place. */
  readonly ids: Uint32Array;
  readonly places: Uint32Array;
  readonly samples: number;
}

/** What the blocks of a store share. */
export interface Shelf {
  readonly postings: Postings;
  readonly damage: Map<string, Damage>;
  readonly cache: Map<string, Page>;
  cacheBytes: number;
  readonly mostCacheBytes: number;
}

export function shelfOf(postings: Postings, mostCacheBytes: number): Shelf {
  return { postings, damage: new Map(), cache: new Map(), cacheBytes: 0, mostCacheBytes };
}

let serials = 0;

export function shelfBlock(file: BlockFile): ShelfBlock {
  return {
    file,
    serial: serials++,
    handle: undefined,
    index: undefined,
    loading: undefined,
    readers: 0,
    removed: false,
    damaged: false,
  };
}

/** The block's index; its series are held in the postings until the block is gone. */
export function load(shelf: Shelf, block: ShelfBlock): Promise<ShelfIndex> {
  if (block.index !== undefined) return Promise.resolve(block.index);
  block.loading ??= loadOnce(shelf, block).finally(() => {
    block.loading = undefined;
  });
  return block.loading;
}

const noIndex: ShelfIndex = { pages: [], ids: new Uint32Array(0), places: new Uint32Array(0), samples: 0 };

async function loadOnce(shelf: Shelf, block: ShelfBlock): Promise<ShelfIndex> {
  block.readers++;
  try {
    const file = await handleOf(block);
    const named = await readIndex(file, block.file, (found) => noteDamage(shelf, block, found));
    block.index = takeIndex(shelf, named);
    return block.index;
  } catch (thrown) {
    // Who asked for it looks again for what there is now.
    if (block.removed) return noIndex;
    if (!isLost(thrown)) throw fileFault(thrown, "read", block.file.path);
    noteDamage(shelf, block, { file: block.file.path, what: `it cannot be read (${errorCode(thrown)})` });
    block.index = noIndex;
    return noIndex;
  } finally {
    leave(shelf, block);
  }
}

/** The labels go to the postings, where they are once for all blocks. */
function takeIndex({ postings }: Shelf, named: Iterable<NamedPage>): ShelfIndex {
  const pages: PageEntry[] = [];
  const [ids, places]: [number[], number[]] = [[], []];
  let samples = 0;
  for (const { page, series } of named) {
    const number = pages.push(page) - 1;
    if (page.column !== undefined) continue;
    samples += page.samples;
    for (const [nth, labels] of series.entries()) {
      ids.push(hold(postings, labels));
      places.push(number * 128 + nth);
    }
  }
  const order = Uint32Array.from(ids, (_, nth) => nth);
  order.sort((a, b) => (ids[a] as number) - (ids[b] as number) || a - b);
  return {
    pages,
    ids: Uint32Array.from(order, (nth) => ids[nth] as number),
    places: Uint32Array.from(order, (nth) => places[nth] as number),
    samples,
  };
}

/** The labels of a page's first and last series. */
function endsOf({ postings }: Shelf, { index }: ShelfBlock, number: number): readonly [Labels, Labels] {
  const labelsAt = (nth: number) => {
    const id = index?.ids[index.places.indexOf(number * 128 + nth)];
    return id === undefined ? [] : labelsOfId(postings, id);
  };
  return [labelsAt(0), labelsAt((index?.pages[number]?.count ?? 1) - 1)];
}

async function handleOf(block: ShelfBlock): Promise<FileHandle> {
  if (block.handle !== undefined) return block.handle;
  const opened = await open(block.file.path, "r");
  // Another reader may have been faster; a file that is left open without an owner ends the thread.
  if (block.handle === undefined) block.handle = opened;
  else await opened.close();
  return block.handle;
}

/** The places of a series in the block, by time. */
export function placesOf({ index }: ShelfBlock, id: number): readonly number[] {
  if (index === undefined) return [];
  let [low, high] = [0, index.ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((index.ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  const found: number[] = [];
  for (; index.ids[low] === id; low++) found.push(index.places[low] as number);
  return found;
}

/** A page, from memory or from the file; undefined when it is damaged, which is noted. */
export async function pageOf(shelf: Shelf, block: ShelfBlock, place: number): Promise<Page | undefined> {
  const number = Math.floor(place / 128);
  const entry = block.index?.pages[number];
  if (entry === undefined) return undefined;
  const key = `${block.serial}:${number}`;
  const known = shelf.cache.get(key);
  if (known !== undefined) {
    shelf.cache.delete(key);
    shelf.cache.set(key, known);
    return known;
  }
  const page = await readEntry(shelf, block, entry, number);
  if (page === undefined) return undefined;
  if (!shelf.cache.has(key)) shelf.cacheBytes += page.sizeBytes;
  shelf.cache.set(key, page);
  for (const [oldest, { sizeBytes }] of shelf.cache) {
    if (shelf.cacheBytes <= shelf.mostCacheBytes) break;
    shelf.cache.delete(oldest);
    shelf.cacheBytes -= sizeBytes;
  }
  return page;
}

/** Reads a page from the file, whatever is in memory; undefined when it is damaged, which is noted. */
export async function checkPage(shelf: Shelf, block: ShelfBlock, number: number): Promise<Page | undefined> {
  const entry = block.index?.pages[number];
  if (entry === undefined) return undefined;
  return await readEntry(shelf, block, entry, number);
}

async function readEntry(shelf: Shelf, block: ShelfBlock, entry: PageEntry, number: number): Promise<Page | undefined> {
  const ends = () => endsOf(shelf, block, number);
  return await readPage(await handleOf(block), block.file, entry, ends, (found) => noteDamage(shelf, block, found));
}

function noteDamage(shelf: Shelf, block: ShelfBlock, found: Damage): void {
  block.damaged = true;
  shelf.damage.set(`${found.file}: ${found.what}`, found);
}

export function enter(block: ShelfBlock): void {
  block.readers++;
}

export function leave(shelf: Shelf, block: ShelfBlock): void {
  block.readers--;
  if (block.removed) drop(shelf, block);
}

/** After its file is gone: who reads it reads on. */
export function remove(shelf: Shelf, block: ShelfBlock): void {
  block.removed = true;
  drop(shelf, block);
}

function drop(shelf: Shelf, block: ShelfBlock): void {
  if (block.readers > 0) return;
  for (const id of block.index?.ids ?? []) release(shelf.postings, id);
  block.index = undefined;
  const { handle } = block;
  block.handle = undefined;
  handle?.close().catch(() => {});
}
