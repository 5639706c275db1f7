import { crc32 } from "node:zlib";
import type { Labels } from "../series/labels.ts";
import {
  type Bytes,
  bytesOf,
  type Cursor,
  readCount,
  readText,
  reserve,
  writeCount,
  writeText,
  written,
} from "./bytes.ts";
import { compress } from "./squeeze.ts";

/** Where a page is in its file. */
export interface PageEntry {
  readonly at: number;
  readonly sizeBytes: number;
  readonly samples: number;
  /** How many series it has. */
  readonly count: number;
  /** Of a page that is a column of summaries more of the series in the page before it: the column's name. */
  readonly column: string | undefined;
}

/** A page with the labels of its series; a column names no series again, and has its own name in place of labels. */
export interface NamedPage {
  readonly page: PageEntry;
  readonly series: readonly Labels[];
}

export const trailerMagic = 0x4b434c42; // BLCK
/** magic, packed and raw size of the index, CRC-32 of these and of the index. */
export const trailerBytes = 16;

export function namedPage(at: number, sizeBytes: number, samples: number, series: readonly Labels[]): NamedPage {
  const [first] = series;
  const column = first?.length === 1 ? first[0] : undefined;
  return { page: { at, sizeBytes, samples, count: series.length, column }, series };
}

/** Takes page after page, and keeps of their labels only what the index is made of. */
export function indexWriter() {
  const texts = new Map<string, number>();
  const [index, names] = [bytesOf(4096), bytesOf(4096)];
  let pages = 0;
  const number = (text: string) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    writeText(names, text);
    texts.set(text, texts.size);
    return texts.size - 1;
  };
  return {
    add(at: number, sizeBytes: number, samples: number, series: readonly Labels[]): void {
      pages++;
      for (const count of [at, sizeBytes, samples, series.length]) writeCount(index, count);
      for (const labels of series) {
        writeCount(index, labels.length);
        for (const text of labels) writeCount(index, number(text));
      }
    },
    isEmpty: () => pages === 0,
    /** With its trailer. */
    end(): Uint8Array {
      const raw = bytesOf(names.at + index.at + 16);
      writeCount(raw, texts.size);
      append(raw, names);
      writeCount(raw, pages);
      append(raw, index);
      return withTrailer(written(raw));
    },
  };
}

function withTrailer(raw: Uint8Array): Uint8Array {
  const packed = compress(raw);
  const end = new Uint8Array(packed.length + trailerBytes);
  end.set(packed);
  const view = new DataView(end.buffer, packed.length);
  for (const [i, word] of [trailerMagic, packed.length, raw.length].entries()) view.setUint32(i * 4, word, true);
  view.setUint32(12, crc32(end.subarray(0, packed.length + 12)), true);
  return end;
}

function append(to: Bytes, from: Bytes): void {
  reserve(to, from.at);
  to.data.set(written(from), to.at);
  to.at += from.at;
}

/** Page after page: the labels of all at once are many. */
export function* decodeIndex(raw: Cursor): Generator<NamedPage> {
  const texts = Array.from({ length: readCount(raw) }, () => readText(raw));
  const text = () => texts[readCount(raw)] ?? "";
  for (let left = readCount(raw); left > 0; left--) {
    const [at, sizeBytes, samples, count] = [readCount(raw), readCount(raw), readCount(raw), readCount(raw)];
    const series = Array.from({ length: count }, () => Array.from({ length: readCount(raw) }, text));
    yield namedPage(at, sizeBytes, samples, series);
  }
}
