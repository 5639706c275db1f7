import {
  type Bytes,
  type Cursor,
  readByte,
  readBytes,
  readCount,
  reserve,
  writeByte,
  writeBytes,
  writeCount,
} from "./bytes.ts";
import { decodeWholes, encodeWholes } from "./whole.ts";

/**
 * Columns of samples, without loss: every float comes back with the bits it went in with. `head` takes what is small and
 * different from column to column, `body` takes the planes of bytes. Values move between arrays as pairs of 32 bits wherever
 * they may be NaN, because a NaN that passes through a number may lose its payload.
 */
const kinds = { constant: 0, decimal: 1, split: 2 } as const;

/** Beyond it a sum of differences would not be exact. */
const largestWhole = 2 ** 50;

/** The latest time that can be kept: in the year 37,648. */
export const latestMs = largestWhole;

/** 10^18 and more would leave no digits below `largestWhole` that other exponents do not have. */
const powers = Array.from({ length: 19 }, (_, exponent) => Number(`1e${exponent}`));

/** One value in so many may be no decimal (stale markers, infinities) and be kept beside. */
const exceptionShare = 8;

let wholes = new Float64Array(0);

/** Returns how long each plane in `body` is. */
export function encodeValues(values: Float64Array, head: Bytes, body: Bytes): number {
  const words = wordsOf(values);
  const count = values.length;
  if (isConstant(words)) {
    writeByte(head, kinds.constant);
    if (count > 0) writeBytes(head, new Uint8Array(values.buffer, values.byteOffset, 8));
    return 0;
  }
  const exponent = exponentOf(values);
  const planeBytes = exponent === undefined ? undefined : encodeDecimals(values, exponent, head, body);
  if (planeBytes !== undefined) return planeBytes;
  writeByte(head, kinds.split);
  encodeSplit(words, count, head, body);
  return count;
}

/** As `encodeValues`, for a few values of many series: it does not look for what they have in common. */
export function encodeMixed(values: Float64Array, head: Bytes, body: Bytes): void {
  writeByte(head, kinds.split);
  encodeSplit(wordsOf(values), values.length, head, body);
}

/** The next `count` values, written into `into[0, count)`. Throws RangeError for bytes that are no column. */
export function decodeValues(head: Cursor, body: Cursor, count: number, into: Float64Array): void {
  const kind = readByte(head);
  if (kind === kinds.constant) {
    if (count === 0) return;
    const words = wordsOf(into);
    const raw = readBytes(head, 8);
    const view = new DataView(raw.buffer, raw.byteOffset, 8);
    const [low, high] = [view.getUint32(0, true), view.getUint32(4, true)];
    for (let i = 0; i < count; i++) {
      words[2 * i] = low;
      words[2 * i + 1] = high;
    }
  } else if (kind === kinds.decimal) decodeDecimals(head, body, count, into);
  else if (kind === kinds.split) decodeSplit(head, body, count, wordsOf(into));
  else throw new RangeError("a column of no known kind");
}

/** Whole milliseconds from 0 to `latestMs`, ascending. */
export function encodeTimes(times: Float64Array, head: Bytes, body: Bytes): number {
  return encodeWholes(times, times.length, head, body);
}

export function decodeTimes(head: Cursor, body: Cursor, count: number, into: Float64Array): void {
  decodeWholes(head, body, count, into);
}

/** The array's bits, low half and high half in turn. */
export function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

function isConstant(words: Uint32Array): boolean {
  const [low, high] = [words[0], words[1]];
  for (let i = 2; i < words.length; i += 2) if (words[i] !== low || words[i + 1] !== high) return false;
  return true;
}

/** The least power of ten that makes the values whole; undefined when too many of them are no short decimals. */
function exponentOf(values: Float64Array): number | undefined {
  let exponent = 0;
  let strange = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const found = exponentFrom(value, exponent);
    if (found !== undefined) exponent = found;
    else if (++strange * exceptionShare > values.length) return undefined;
  }
  return exponent;
}

function exponentFrom(value: number, least: number): number | undefined {
  for (let exponent = least; exponent < powers.length; exponent++) {
    const power = powers[exponent] as number;
    const whole = Math.round(value * power);
    if (!(whole < largestWhole && whole > -largestWhole)) return undefined;
    if (whole / power === value) return exponent;
  }
  return undefined;
}

function encodeDecimals(values: Float64Array, exponent: number, head: Bytes, body: Bytes): number | undefined {
  const count = values.length;
  if (wholes.length < count) wholes = new Float64Array(Math.max(1024, count * 2));
  const power = powers[exponent] as number;
  const exceptions: number[] = [];
  let last = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    const whole = Math.round(value * power);
    // Object.is tells the two zeros apart; a NaN is no whole number.
    if (
      whole < largestWhole &&
      whole > -largestWhole &&
      whole / power === value &&
      (whole !== 0 || Object.is(value, 0))
    ) {
      last = whole === 0 ? 0 : whole;
    } else if (exceptions.push(i) * exceptionShare > count) return undefined;
    wholes[i] = last;
  }
  writeByte(head, kinds.decimal);
  writeByte(head, exponent);
  writeCount(head, exceptions.length);
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (const [nth, index] of exceptions.entries()) {
    writeCount(head, index - (exceptions[nth - 1] ?? 0));
    writeBytes(head, raw.subarray(index * 8, index * 8 + 8));
  }
  return encodeWholes(wholes, count, head, body);
}

function decodeDecimals(head: Cursor, body: Cursor, count: number, into: Float64Array): void {
  const power = powers[readByte(head)];
  if (power === undefined) throw new RangeError("a column with a strange exponent");
  const exceptions = readCount(head);
  const [start, raw] = [head.at, new Uint8Array(into.buffer, into.byteOffset, into.byteLength)];
  for (let nth = 0; nth < exceptions; nth++) {
    readCount(head);
    readBytes(head, 8);
  }
  decodeWholes(head, body, count, into);
  if (power !== 1) for (let i = 0; i < count; i++) into[i] = (into[i] as number) / power;
  const again = { data: head.data, at: start, end: head.end };
  let index = 0;
  for (let nth = 0; nth < exceptions; nth++) {
    index += readCount(again);
    if (index >= count) throw new RangeError("an exception beyond the column");
    raw.set(readBytes(again, 8), index * 8);
  }
}

/** Each value's bits XOR those before, as eight planes; planes of zeros are left out. */
function encodeSplit(words: Uint32Array, count: number, head: Bytes, body: Bytes): void {
  let [all, allHigh] = [0, 0];
  for (let i = 2; i < 2 * count; i += 2) {
    all |= (words[i] as number) ^ (words[i - 2] as number);
    allHigh |= (words[i + 1] as number) ^ (words[i - 1] as number);
  }
  all |= words[0] as number;
  allHigh |= words[1] as number;
  let mask = 0;
  for (let plane = 0; plane < 8; plane++) {
    const bits = plane < 4 ? all >>> (8 * plane) : allHigh >>> (8 * (plane - 4));
    if ((bits & 0xff) !== 0) mask |= 1 << plane;
  }
  writeByte(head, mask);
  for (let plane = 0; plane < 8; plane++) {
    if ((mask & (1 << plane)) === 0) continue;
    reserve(body, count);
    const { data, at } = body;
    const shift = 8 * (plane & 3);
    let last = 0;
    for (let i = 0, word = plane >> 2; i < count; i++, word += 2) {
      const bits = words[word] as number;
      data[at + i] = (bits ^ last) >>> shift;
      last = bits;
    }
    body.at += count;
  }
}

function decodeSplit(head: Cursor, body: Cursor, count: number, words: Uint32Array): void {
  const mask = readByte(head);
  words.fill(0, 0, 2 * count);
  for (let plane = 0; plane < 8; plane++) {
    if ((mask & (1 << plane)) === 0) continue;
    const bytes = readBytes(body, count);
    const shift = 8 * (plane & 3);
    for (let i = 0, word = plane >> 2; i < count; i++, word += 2) {
      words[word] = (words[word] as number) | ((bytes[i] as number) << shift);
    }
  }
  for (let i = 2; i < 2 * count; i++) words[i] = (words[i] as number) ^ (words[i - 2] as number);
}
