import { constants, crc32, zstdCompressSync } from "node:zlib";
import type { Labels } from "../series/labels.ts";
import type { Matcher } from "../series/matcher.ts";
import {
  type Bytes,
  bytesOf,
  type Cursor,
  cursorOf,
  readByte,
  readCount,
  readText,
  writeByte,
  writeBytes,
  writeCount,
  writeText,
  written,
} from "./bytes.ts";
import { decodeTimes, decodeValues, encodeMixed } from "./codec.ts";
import { readLabels, writeLabels } from "./page.ts";
import { decompress } from "./squeeze.ts";
import { decodeWholes, encodeWholes } from "./whole.ts";

/** What one commit puts into the write-ahead log. */
export type WalRecord =
  /** `previousBytes`: how long the file before is, so that a missing end is noticed. */
  | { readonly kind: "start"; readonly sealedMs: number; readonly previousBytes: number }
  | { readonly kind: "samples"; readonly named: readonly NamedSeries[]; readonly rows: Rows }
  | {
      readonly kind: "delete";
      readonly matchers: readonly Matcher[];
      readonly startMs: number;
      readonly endMs: number;
    };

/** A series' name, before the first sample that a file has of it. */
export interface NamedSeries {
  readonly id: number;
  readonly tenant: string;
  readonly labels: Labels;
}

/** Samples of many series, by their number. */
export interface Rows {
  readonly ids: Float64Array<ArrayBuffer>;
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** magic, packed size, raw size, CRC-32 of these sizes and of what follows: uint32 each. */
const recordHeaderBytes = 16;
const recordMagic = 0x4c_41_57_f1;
/** Level 3 wins 2 parts in 100 and takes twice as long. */
const params = { [constants.ZSTD_c_compressionLevel]: 1 };
const kinds = ["start", "samples", "delete"] as const;
const matcherKinds = ["=", "!=", "=~", "!~"] as const;

export function encodeRecord(record: WalRecord): Uint8Array<ArrayBuffer> {
  const raw = bytesOf(4096);
  writeByte(raw, kinds.indexOf(record.kind));
  if (record.kind === "start") {
    writeMs(raw, record.sealedMs);
    writeCount(raw, record.previousBytes);
  } else if (record.kind === "samples") writeSamples(raw, record.named, record.rows);
  else {
    writeMs(raw, record.startMs);
    writeMs(raw, record.endMs);
    writeCount(raw, record.matchers.length);
    for (const { name, kind, value } of record.matchers) {
      writeText(raw, name);
      writeByte(raw, matcherKinds.indexOf(kind));
      writeText(raw, value);
    }
  }
  const packed = zstdCompressSync(written(raw), { params });
  const data = new Uint8Array(recordHeaderBytes + packed.length);
  const view = new DataView(data.buffer);
  for (const [i, word] of [recordMagic, packed.length, raw.at].entries()) view.setUint32(i * 4, word, true);
  data.set(packed, recordHeaderBytes);
  view.setUint32(12, checksum(data), true);
  return data;
}

function checksum(data: Uint8Array): number {
  return crc32(data.subarray(recordHeaderBytes), crc32(data.subarray(4, 12)));
}

export interface FoundRecord {
  readonly record: WalRecord;
  readonly sizeBytes: number;
}

/** The record that begins here; undefined when none does, or not a whole and sound one. */
export function decodeRecord(data: Uint8Array, at: number): FoundRecord | undefined {
  const found = unpackRecord(data, at);
  return found && { record: readRecord(found.raw), sizeBytes: found.sizeBytes };
}

/** The same without its columns: the series it names, and how many samples it has. */
export function skimRecord(
  data: Uint8Array,
  at: number,
): { readonly named: readonly NamedSeries[]; readonly samples: number; readonly sizeBytes: number } | undefined {
  const found = unpackRecord(data, at);
  if (found === undefined) return undefined;
  const { raw, sizeBytes } = found;
  if (kinds[readByte(raw)] !== "samples") return { named: [], samples: 0, sizeBytes };
  return { named: readNamed(raw), samples: readCount(raw), sizeBytes };
}

/** How long the record is that begins here, by its own word; undefined when none does, or its header is not whole. */
export function sizeOfRecord(data: Uint8Array, at: number): number | undefined {
  if (at + recordHeaderBytes > data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset + at, recordHeaderBytes);
  return view.getUint32(0, true) === recordMagic ? recordHeaderBytes + view.getUint32(4, true) : undefined;
}

function unpackRecord(data: Uint8Array, at: number): { readonly raw: Cursor; readonly sizeBytes: number } | undefined {
  const sizeBytes = sizeOfRecord(data, at);
  if (sizeBytes === undefined || at + sizeBytes > data.length) return undefined;
  const whole = data.subarray(at, at + sizeBytes);
  const view = new DataView(whole.buffer, whole.byteOffset, recordHeaderBytes);
  if (view.getUint32(12, true) !== checksum(whole)) return undefined;
  return { raw: cursorOf(decompress(whole.subarray(recordHeaderBytes), view.getUint32(8, true))), sizeBytes };
}

/** Whether what begins here may be a record whose end is missing. */
export function isTorn(data: Uint8Array, at: number): boolean {
  if (at + recordHeaderBytes > data.length) return true;
  const view = new DataView(data.buffer, data.byteOffset + at, recordHeaderBytes);
  return view.getUint32(0, true) === recordMagic && at + recordHeaderBytes + view.getUint32(4, true) > data.length;
}

/** Where the next sound record begins, at `from` or later. */
export function findRecord(data: Uint8Array, from: number): number | undefined {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(recordMagic);
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.length);
  for (let at = buffer.indexOf(magic, from); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (decodeRecord(data, at) !== undefined) return at;
  }
  return undefined;
}

function readRecord(raw: Cursor): WalRecord {
  const kind = kinds[readByte(raw)];
  if (kind === "start") return { kind, sealedMs: readMs(raw), previousBytes: readCount(raw) };
  if (kind === "samples") return { kind, ...readSamples(raw) };
  if (kind === undefined) throw new RangeError("a record of no known kind");
  const [startMs, endMs] = [readMs(raw), readMs(raw)];
  const matchers = Array.from({ length: readCount(raw) }, (): Matcher => {
    const name = readText(raw);
    const like = matcherKinds[readByte(raw)] ?? "=";
    return { name, kind: like, value: readText(raw) };
  });
  return { kind, matchers, startMs, endMs };
}

function writeSamples(raw: Bytes, named: readonly NamedSeries[], { ids, times, values }: Rows): void {
  writeCount(raw, named.length);
  for (const { id, tenant, labels } of named) {
    writeCount(raw, id);
    writeText(raw, tenant);
    writeLabels(raw, labels);
  }
  writeCount(raw, ids.length);
  if (ids.length === 0) return;
  writeColumn(raw, (head, body) => encodeWholes(ids, ids.length, head, body));
  writeColumn(raw, (head, body) => encodeWholes(times, times.length, head, body));
  writeColumn(raw, (head, body) => encodeMixed(values, head, body));
}

function readNamed(raw: Cursor): readonly NamedSeries[] {
  return Array.from({ length: readCount(raw) }, (): NamedSeries => {
    const id = readCount(raw);
    const tenant = readText(raw);
    return { id, tenant, labels: readLabels(raw) };
  });
}

function readSamples(raw: Cursor): { readonly named: readonly NamedSeries[]; readonly rows: Rows } {
  const named = readNamed(raw);
  const count = readCount(raw);
  const rows = { ids: new Float64Array(count), times: new Float64Array(count), values: new Float64Array(count) };
  if (count === 0) return { named, rows };
  readColumn(raw, (head, body) => decodeWholes(head, body, count, rows.ids));
  readColumn(raw, (head, body) => decodeTimes(head, body, count, rows.times));
  readColumn(raw, (head, body) => decodeValues(head, body, count, rows.values));
  return { named, rows };
}

function writeColumn(raw: Bytes, encode: (head: Bytes, body: Bytes) => void): void {
  const [head, body] = [bytesOf(64), bytesOf(1024)];
  encode(head, body);
  for (const part of [head, body]) {
    writeCount(raw, part.at);
    writeBytes(raw, written(part));
  }
}

function readColumn(raw: Cursor, decode: (head: Cursor, body: Cursor) => void): void {
  const next = () => {
    const sizeBytes = readCount(raw);
    const part = cursorOf(raw.data, raw.at, raw.at + sizeBytes);
    raw.at += sizeBytes;
    return part;
  };
  const head = next();
  decode(head, next());
}

/** Times may be infinite here; as eight bytes. */
function writeMs(bytes: Bytes, ms: number): void {
  writeBytes(bytes, new Uint8Array(Float64Array.of(ms).buffer));
}

function readMs(from: Cursor): number {
  const view = new DataView(from.data.buffer, from.data.byteOffset + from.at, 8);
  from.at += 8;
  return view.getFloat64(0, true);
}
