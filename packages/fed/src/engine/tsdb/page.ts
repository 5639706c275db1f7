import { crc32 } from "node:zlib";
import type { Labels } from "../series/labels.ts";
import type { Series } from "../series/series.ts";
import {
  type Bytes,
  bytesOf,
  type Cursor,
  cursorOf,
  readCount,
  readText,
  writeBytes,
  writeCount,
  writeText,
  written,
} from "./bytes.ts";
import { decodeTimes, decodeValues, encodeTimes, encodeValues } from "./codec.ts";
import { compress, decompress, groupPlanes } from "./squeeze.ts";

/**
 * A page: the samples of about a hundred series in a span of time, with their labels, so that a page can be read when
 * everything around it is lost. Times that several series share (those of one scrape) are kept once.
 *
 *   magic, size of the text about it (compressed, raw), size of the planes, CRC-32 of all that and of what follows: five uint32
 *   the text about it, zstd: series (labels, column of times, head of values), columns of times, planes, groups
 *   the groups of planes, each zstd, or as it is where that is shorter
 *
 * The checksum is zlib's CRC-32, the one that Node has; like CRC-32C it finds every burst of up to 32 bits.
 */
export const pageMagic = 0x45474150; // PAGE
export const pageHeaderBytes = 20;

/** A page whose checksum was right. */
export interface Page {
  /** In memory, once all of it has been read. */
  readonly sizeBytes: number;
  readonly labels: readonly Labels[];
  readonly samples: number;
  /** The samples of the nth series. What is read is kept, so read from the page as long as you hold it. */
  read(nth: number): Series;
  /** What each series takes of the file, with its share of what it has in common with others: together the page. */
  costs(): readonly { readonly samples: number; readonly sizeBytes: number }[];
}

interface Column {
  readonly count: number;
  readonly planeBytes: number;
  readonly planes: number;
}

export function encodePage(series: readonly Series[]): Uint8Array<ArrayBuffer> {
  const about = bytesOf(16_384);
  const planes: Uint8Array[] = [];
  const shared = shareTimes(series);
  writeCount(about, series.length);
  for (const { labels } of series) writeLabels(about, labels);
  writeCount(about, shared.columns.length);
  for (const times of shared.columns) writeColumn(about, planes, times, encodeTimes);
  for (const [nth, { values }] of series.entries()) {
    writeCount(about, shared.indices[nth] as number);
    writeColumn(about, planes, values, encodeValues);
  }
  const body = bytesOf(65_536);
  const groups = groupPlanes(planes);
  writeCount(about, groups.length);
  for (const group of groups) {
    const raw = Buffer.concat(group.map((nth) => planes[nth] as Uint8Array));
    const packed = compress(raw);
    const plain = packed.length >= raw.length;
    writeBytes(body, plain ? raw : packed);
    writeCount(about, plain ? 0 : packed.length);
    writeCount(about, group.length);
    for (const nth of group) writeCount(about, nth);
  }
  return sealPage(written(about), written(body));
}

function sealPage(about: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = compress(about);
  const page = new Uint8Array(pageHeaderBytes + packed.length + body.length);
  const view = new DataView(page.buffer);
  for (const [i, word] of [pageMagic, packed.length, about.length, body.length].entries())
    view.setUint32(i * 4, word, true);
  page.set(packed, pageHeaderBytes);
  page.set(body, pageHeaderBytes + packed.length);
  view.setUint32(16, checksum(page), true);
  return page;
}

function checksum(page: Uint8Array): number {
  return crc32(page.subarray(pageHeaderBytes), crc32(page.subarray(0, 16)));
}

/** The length of the page that begins with these bytes; undefined when none does. */
export function pageLength(header: Uint8Array): number | undefined {
  if (header.length < pageHeaderBytes) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, pageHeaderBytes);
  if (view.getUint32(0, true) !== pageMagic) return undefined;
  return pageHeaderBytes + view.getUint32(4, true) + view.getUint32(12, true);
}

/** The page, or undefined when one of its bytes is not what was written. */
export function openPage(data: Uint8Array): Page | undefined {
  if (pageLength(data) !== data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, pageHeaderBytes);
  if (view.getUint32(16, true) !== checksum(data)) return undefined;
  const bodyAt = pageHeaderBytes + view.getUint32(4, true);
  const about = decompress(data.subarray(pageHeaderBytes, bodyAt), view.getUint32(8, true));
  return readAbout(cursorOf(about), data.subarray(bodyAt), bodyAt);
}

function readAbout(about: Cursor, body: Uint8Array, aboutBytes: number): Page {
  const labels = Array.from({ length: readCount(about) }, () => readLabels(about));
  let planes = 0;
  const next = () => {
    const column = readColumn(about, planes);
    planes += column.planes;
    return column;
  };
  const times = Array.from({ length: readCount(about) }, next);
  const values = labels.map(() => ({ times: readCount(about), ...next() }));
  const { plane, packedBytes } = readGroups(about, body, [...times, ...values], planes);
  const known = new Map<number, Float64Array<ArrayBuffer>>();
  const timesOf = (nth: number) => {
    const found = known.get(nth) ?? decodeColumn(times[nth], plane, decodeTimes);
    known.set(nth, found);
    return found;
  };
  return {
    labels,
    samples: values.reduce((sum, { count }) => sum + count, 0),
    sizeBytes: about.data.length + [...times, ...values].reduce((sum, one) => sum + one.planes * one.planeBytes, 0),
    costs() {
      const bytesOfColumn = ({ firstPlane, planes }: FoundColumn) => {
        let sum = 0;
        for (let i = 0; i < planes; i++) sum += packedBytes(firstPlane + i);
        return sum;
      };
      const users = new Array<number>(times.length).fill(0);
      for (const column of values) users[column.times] = (users[column.times] ?? 0) + 1;
      const shares = times.map((column, i) => bytesOfColumn(column) / (users[i] || 1));
      const ofEach = aboutBytes / values.length;
      return values.map((column) => ({
        samples: column.count,
        sizeBytes: bytesOfColumn(column) + (shares[column.times] ?? 0) + ofEach,
      }));
    },
    read(nth) {
      const column = values[nth];
      if (column === undefined) throw new RangeError(`a page has no series ${nth}`);
      return {
        labels: labels[nth] as Labels,
        times: timesOf(column.times),
        values: decodeColumn(column, plane, decodeValues),
      };
    },
  };
}

interface FoundColumn extends Column {
  readonly head: Cursor;
  readonly firstPlane: number;
}

type Decode = (head: Cursor, body: Cursor, count: number, into: Float64Array) => void;

function decodeColumn(
  column: FoundColumn | undefined,
  plane: (nth: number) => Uint8Array,
  decode: Decode,
): Float64Array<ArrayBuffer> {
  if (column === undefined) throw new RangeError("a series without its times");
  const { count, head, planeBytes, planes, firstPlane } = column;
  const body = new Uint8Array(planes * planeBytes);
  for (let i = 0; i < planes; i++) body.set(plane(firstPlane + i), i * planeBytes);
  const into = new Float64Array(count);
  decode({ ...head }, cursorOf(body), count, into);
  return into;
}

interface Planes {
  plane(nth: number): Uint8Array;
  /** Its share of its group in the file. */
  packedBytes(nth: number): number;
}

/** Where each plane is; groups are decompressed when one of their planes is asked for. */
function readGroups(about: Cursor, body: Uint8Array, columns: readonly Column[], planes: number): Planes {
  const sizes = columns.flatMap((column) => Array.from({ length: column.planes }, () => column.planeBytes));
  const places = new Array<readonly [group: number, at: number]>(planes);
  const groups: { data: Uint8Array; readonly rawBytes: number; readonly fileBytes: number; packed: boolean }[] = [];
  let at = 0;
  for (let left = readCount(about); left > 0; left--) {
    const packedBytes = readCount(about);
    let rawBytes = 0;
    for (let members = readCount(about); members > 0; members--) {
      const nth = readCount(about);
      places[nth] = [groups.length, rawBytes];
      rawBytes += sizes[nth] ?? 0;
    }
    const end = at + (packedBytes || rawBytes);
    groups.push({ data: body.subarray(at, end), rawBytes, fileBytes: end - at, packed: packedBytes > 0 });
    at = end;
  }
  const plane = (nth: number) => {
    const [number, start] = places[nth] ?? [-1, 0];
    const group = groups[number];
    if (group === undefined) throw new RangeError("a column without its planes");
    if (group.packed) {
      group.data = decompress(group.data, group.rawBytes);
      group.packed = false;
    }
    return group.data.subarray(start, start + (sizes[nth] ?? 0));
  };
  const packedBytes = (nth: number) => {
    const { fileBytes, rawBytes } = groups[places[nth]?.[0] ?? -1] ?? { fileBytes: 0, rawBytes: 0 };
    return rawBytes === 0 ? 0 : (fileBytes * (sizes[nth] ?? 0)) / rawBytes;
  };
  return { plane, packedBytes };
}

function writeColumn(
  about: Bytes,
  planes: Uint8Array[],
  numbers: Float64Array,
  encode: (numbers: Float64Array, head: Bytes, body: Bytes) => number,
): void {
  const head = bytesOf(64);
  const body = bytesOf(1024);
  const planeBytes = encode(numbers, head, body);
  const count = planeBytes === 0 ? 0 : body.at / planeBytes;
  writeCount(about, numbers.length);
  writeCount(about, head.at);
  writeBytes(about, written(head));
  writeCount(about, count);
  if (count > 0) writeCount(about, planeBytes);
  for (let i = 0; i < count; i++) planes.push(body.data.subarray(i * planeBytes, (i + 1) * planeBytes));
}

function readColumn(about: Cursor, firstPlane: number): FoundColumn {
  const count = readCount(about);
  const headBytes = readCount(about);
  const head = cursorOf(about.data, about.at, about.at + headBytes);
  about.at += headBytes;
  const planes = readCount(about);
  return { count, head, planes, planeBytes: planes > 0 ? readCount(about) : 0, firstPlane };
}

/** Each different column of times once, and which one is each series'. */
function shareTimes(series: readonly Series[]): { columns: Float64Array[]; indices: number[] } {
  const columns: Float64Array[] = [];
  const known = new Map<string, number[]>();
  const indices = series.map(({ times }) => {
    const key = `${times.length} ${times[0]} ${times.at(-1)} ${times[times.length >> 1]}`;
    const like = known.get(key) ?? [];
    known.set(key, like);
    const found = like.find((nth) => isSame(columns[nth] as Float64Array, times));
    if (found !== undefined) return found;
    like.push(columns.push(times) - 1);
    return columns.length - 1;
  });
  return { columns, indices };
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

export function writeLabels(bytes: Bytes, labels: Labels): void {
  writeCount(bytes, labels.length);
  for (const text of labels) writeText(bytes, text);
}

export function readLabels(from: Cursor): Labels {
  return Array.from({ length: readCount(from) }, () => readText(from));
}
