/** A byte array that grows: what is written so far is `data[0, at)`. */
export interface Bytes {
  data: Uint8Array<ArrayBuffer>;
  at: number;
}

/** A place in a byte array. Reading beyond `end` throws a RangeError: the bytes are not what was written. */
export interface Cursor {
  readonly data: Uint8Array;
  at: number;
  readonly end: number;
}

export function bytesOf(sizeBytes = 256): Bytes {
  return { data: new Uint8Array(sizeBytes), at: 0 };
}

export function cursorOf(data: Uint8Array, at = 0, end = data.length): Cursor {
  return { data, at, end };
}

/** What was written, not copied: good until the next write. */
export function written(bytes: Bytes): Uint8Array<ArrayBuffer> {
  return bytes.data.subarray(0, bytes.at);
}

/** Makes sure of room for so many bytes more. */
export function reserve(bytes: Bytes, sizeBytes: number): void {
  const needed = bytes.at + sizeBytes;
  if (needed <= bytes.data.length) return;
  const data = new Uint8Array(Math.max(needed, bytes.data.length * 2));
  data.set(written(bytes));
  bytes.data = data;
}

export function writeByte(bytes: Bytes, value: number): void {
  reserve(bytes, 1);
  bytes.data[bytes.at++] = value;
}

export function writeBytes(bytes: Bytes, data: Uint8Array): void {
  reserve(bytes, data.length);
  bytes.data.set(data, bytes.at);
  bytes.at += data.length;
}

/** A whole number from 0 below 2^53, seven bits a byte, the low ones first. */
export function writeCount(bytes: Bytes, value: number): void {
  reserve(bytes, 8);
  const { data } = bytes;
  let rest = value;
  while (rest > 0x7f) {
    data[bytes.at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  data[bytes.at++] = rest;
}

/** A whole number from -2^53 to 2^53. The sign has a byte of its own. */
export function writeWhole(bytes: Bytes, value: number): void {
  writeByte(bytes, value < 0 ? 1 : 0);
  writeCount(bytes, Math.abs(value));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeText(bytes: Bytes, text: string): void {
  reserve(bytes, 9 + text.length * 3);
  const data = encoder.encode(text);
  writeCount(bytes, data.length);
  writeBytes(bytes, data);
}

export function readByte(from: Cursor): number {
  if (from.at >= from.end) throw new RangeError("the bytes end too early");
  return from.data[from.at++] as number;
}

/** The next so many bytes, not copied. */
export function readBytes(from: Cursor, sizeBytes: number): Uint8Array {
  if (!(sizeBytes <= from.end - from.at)) throw new RangeError("the bytes end too early");
  from.at += sizeBytes;
  return from.data.subarray(from.at - sizeBytes, from.at);
}

export function readCount(from: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    const byte = readByte(from);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw new RangeError("a number is too long");
}

export function readWhole(from: Cursor): number {
  const negative = readByte(from) === 1;
  const value = readCount(from);
  return negative ? -value : value;
}

export function readText(from: Cursor): string {
  return decoder.decode(readBytes(from, readCount(from)));
}
