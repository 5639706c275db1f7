import { readdirSync, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { fileFault } from "#disk/file-fault.ts";
import type { Labels } from "../series/labels.ts";
import type { Series } from "../series/series.ts";
import {
  decodeIndex,
  indexWriter,
  type NamedPage,
  namedPage,
  type PageEntry,
  trailerBytes,
  trailerMagic,
} from "./block-index.ts";
import { cursorOf } from "./bytes.ts";
import { type Damage, isLost, syncFolder, writeWhole } from "./file.ts";
import { encodePage, openPage, type Page, pageHeaderBytes, pageLength, pageMagic } from "./page.ts";
import { decompress } from "./squeeze.ts";

/**
 * A block: all samples of one span of time, in one file that never changes. Pages of series in the order of their labels, then an
 * index of what is in which page, then where the index is. When the index is lost, the pages are found one by one.
 */
export interface BlockFile {
  readonly path: string;
  readonly startMs: number;
  /** Not included. */
  readonly endMs: number;
  /** 0 for what lies over no other; more for what was brought in later, until it is merged with what it lies over. */
  readonly layer: number;
  readonly sizeBytes: number;
}

const mostSeries = 100;
const mostSamples = 1 << 18;

const namePattern = /^(\d+)-(\d+)(?:\.(\d+))?\.block$/;

export function blockPath(folder: string, startMs: number, endMs: number, layer: number): string {
  return join(folder, `${startMs}-${endMs}${layer > 0 ? `.${layer}` : ""}.block`);
}

/** The blocks of a folder by time; what a writer left unfinished when it was killed is removed by the way of `remove`. */
export function listBlocks(folder: string, remove: (path: string) => void): BlockFile[] {
  const found: BlockFile[] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const [, start, end, layer = 0] = namePattern.exec(name) ?? [];
    if (start !== undefined && end !== undefined) {
      const span = { startMs: Number(start), endMs: Number(end), layer: Number(layer) };
      found.push({ path, ...span, sizeBytes: statSync(path).size });
    } else if (name.endsWith(".block.tmp")) remove(path);
  }
  return found.sort((a, b) => a.startMs - b.startMs || b.endMs - a.endMs || a.layer - b.layer);
}

/**
 * Writes a block; it is there wholly, or not at all. `series` come in the order of their labels' keys, each once. Undefined
 * when there are none, or when it is not `wanted` any more once it is written.
 */
export async function writeBlock(
  folder: string,
  startMs: number,
  endMs: number,
  series: AsyncIterable<Series> | Iterable<Series>,
  wanted: () => boolean = () => true,
  layer = 0,
): Promise<BlockFile | undefined> {
  const path = blockPath(folder, startMs, endMs, layer);
  const sizeBytes = await writeAtOnce(path, (file) => writePages(file, series), wanted);
  return sizeBytes === undefined ? undefined : { path, startMs, endMs, layer, sizeBytes };
}

/** `fill` returns how much it has written. What is empty or not wanted any more leaves no file. */
export async function writeAtOnce(
  path: string,
  fill: (file: FileHandle) => Promise<number>,
  wanted: () => boolean = () => true,
): Promise<number | undefined> {
  const temp = `${path}.tmp`;
  try {
    const file = await open(temp, "w", 0o600);
    let sizeBytes = 0;
    try {
      sizeBytes = await fill(file);
      if (sizeBytes > 0) await file.datasync();
    } finally {
      await file.close();
    }
    if (sizeBytes === 0 || !wanted()) {
      await rm(temp, { force: true });
      return undefined;
    }
    await rename(temp, path);
    await syncFolder(dirname(path));
    return sizeBytes;
  } catch (thrown) {
    await rm(temp, { force: true }).catch(() => {});
    throw fileFault(thrown, "write", path);
  }
}

async function writePages(file: FileHandle, series: AsyncIterable<Series> | Iterable<Series>): Promise<number> {
  const index = indexWriter();
  let at = 0;
  let page: Series[] = [];
  let samples = 0;
  const flush = async () => {
    const data = encodePage(page);
    await writeWhole(file, data, at);
    index.add(
      at,
      data.length,
      samples,
      page.map(({ labels }) => labels),
    );
    at += data.length;
    page = [];
    samples = 0;
  };
  for await (const one of series) {
    for (const part of split(one)) {
      if (page.length > 0 && (page.length >= mostSeries || samples + part.times.length > mostSamples * 4))
        await flush();
      page.push(part);
      samples += part.times.length;
    }
  }
  if (page.length > 0) await flush();
  if (index.isEmpty()) return 0;
  const end = index.end();
  await writeWhole(file, end, at);
  return at + end.length;
}

function split({ labels, times, values }: Series): Series[] {
  const parts: Series[] = [];
  for (let at = 0; at < times.length; at += mostSamples) {
    const to = Math.min(times.length, at + mostSamples);
    parts.push({ labels, times: times.subarray(at, to), values: values.subarray(at, to) });
  }
  return parts;
}

/** The index, or what can be gathered of it from the pages when it is damaged. */
export async function readIndex(
  file: FileHandle,
  block: BlockFile,
  damage: (found: Damage) => void,
): Promise<Iterable<NamedPage>> {
  const found = await soundIndex(file, block.sizeBytes);
  if (found !== undefined) return found;
  const pages: NamedPage[] = [];
  const data = await readAt(file, 0, block.sizeBytes);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(pageMagic);
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at)) {
    const sizeBytes = pageLength(data.subarray(at, at + pageHeaderBytes)) ?? 0;
    const page = openPage(data.subarray(at, at + sizeBytes));
    if (page === undefined) {
      at++;
      continue;
    }
    pages.push(namedPage(at, sizeBytes, page.samples, page.labels));
    at += sizeBytes;
  }
  damage({ file: block.path, what: `its index cannot be read; ${pages.length} pages were found without it` });
  return pages;
}

async function soundIndex(file: FileHandle, sizeBytes: number): Promise<Iterable<NamedPage> | undefined> {
  if (sizeBytes < trailerBytes) return undefined;
  const trailer = await readAt(file, sizeBytes - trailerBytes, trailerBytes);
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailerBytes);
  const packedBytes = view.getUint32(4, true);
  if (view.getUint32(0, true) !== trailerMagic || packedBytes + trailerBytes > sizeBytes) return undefined;
  const end = await readAt(file, sizeBytes - trailerBytes - packedBytes, packedBytes + 12);
  if (crc32(end) !== view.getUint32(12, true)) return undefined;
  return decodeIndex(cursorOf(decompress(end.subarray(0, packedBytes), view.getUint32(8, true))));
}

/** A page of a block; undefined, and named by its first and last series, when its checksum is wrong or the disk cannot read it. */
export async function readPage(
  file: FileHandle,
  block: BlockFile,
  entry: PageEntry,
  ends: () => readonly [first: Labels, last: Labels],
  damage: (found: Damage) => void,
): Promise<Page | undefined> {
  const data = await readAt(file, entry.at, entry.sizeBytes).catch((thrown: unknown) => {
    if (isLost(thrown)) return new Uint8Array(0);
    throw fileFault(thrown, "read", block.path);
  });
  const page = openPage(data);
  if (page !== undefined && page.labels.length === entry.count) return page;
  const names = entry.column === undefined ? ends().map(nameOf).join(" to ") : `their ${entry.column}`;
  const span = `from ${new Date(block.startMs).toISOString()} to ${new Date(block.endMs).toISOString()}`;
  damage({
    file: block.path,
    what: `bytes ${entry.at} to ${entry.at + entry.sizeBytes} are damaged: ${entry.count} series ${span}, ${names}, are lost`,
  });
  return undefined;
}

/** Labels as PromQL writes them. */
export function nameOf(labels: Labels): string {
  const pairs: string[] = [];
  let name = "";
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] === "__name__") name = labels[i + 1] as string;
    else pairs.push(`${labels[i]}=${JSON.stringify(labels[i + 1])}`);
  }
  return pairs.length > 0 || name === "" ? `${name}{${pairs.join(", ")}}` : name;
}

async function readAt(file: FileHandle, at: number, sizeBytes: number): Promise<Uint8Array> {
  const data = new Uint8Array(sizeBytes);
  let read = 0;
  while (read < sizeBytes) {
    const { bytesRead } = await file.read(data, read, sizeBytes - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return data.subarray(0, read);
}
