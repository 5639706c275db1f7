import type { Labels } from "../series/labels.ts";
import { readWriteRequest } from "./remote-write.ts";
import { addBits, cutRows, type Rows } from "./rows.ts";
import type { MetricNote } from "./text.ts";

export interface WriteSink<T> {
  readonly rows: Rows<T>;
  /** Native histograms came; they are not kept. */
  histograms?(count: number): void;
  note?(note: MetricNote): void;
}

export type WriteReader<T> = (bytes: Uint8Array, sink: WriteSink<T>) => void;

/** The bytes of a series' labels, and which series came after it the last time. */
interface Known<T> {
  readonly labels: Uint8Array;
  readonly of: T;
  next: Known<T> | undefined;
}

/**
 * Reads requests as `readWriteRequest` does, faster: who sends again sends the same series in the same order, so each is first
 * held against the one that came next the last time. `nameOf` says what a series is to the caller, and is asked once for each;
 * what is known is forgotten when it is more than `most`, or than `mostBytes` of labels.
 */
export function openWriteReader<T>(
  nameOf: (labels: Labels) => T,
  most = 100_000,
  mostBytes = usualBytes,
): WriteReader<T> {
  const known = new Map<string, Known<T>>();
  let first: Known<T> | undefined;
  let knownBytes = 0;
  return (bytes, { rows, histograms, note }) => {
    if (known.size > most || knownBytes > mostBytes) {
      known.clear();
      first = undefined;
      knownBytes = 0;
    }
    let before: Known<T> | undefined;
    let [begin, end] = [0, 0];
    readWriteRequest(bytes, {
      again(from, to) {
        [begin, end] = [from, to];
        const expected = before === undefined ? first : before.next;
        if (expected === undefined || !readAgain(bytes, from, to, expected, rows)) return false;
        before = expected;
        return true;
      },
      series(key, labels, times, values) {
        let one = known.get(key);
        if (one === undefined) {
          one = { labels: labelBytes(bytes, begin, end), of: nameOf(labels()), next: undefined };
          known.set(key, one);
          knownBytes += key.length;
        }
        const bits = new Uint32Array(values.buffer);
        for (let i = 0; i < times.length; i++) {
          addBits(rows, one.of, times[i] as number, bits[2 * i] as number, bits[2 * i + 1] as number);
        }
        if (before === undefined) first = one;
        else before.next = one;
        before = one;
      },
      ...(histograms ? { histograms } : {}),
      ...(note ? { note } : {}),
    });
  };
}

/** 100,000 series of a usual length have half of it. */
const usualBytes = 64 * 1024 * 1024;

/** Tags of a series: its labels and its samples, each with its length; of a sample: its value and its time. */
const [labelTag, sampleTag, valueTag, timeTag] = [0x0a, 0x12, 0x09, 0x10];

/** The labels' bytes when all of them stand before all of the samples, as everybody writes them; none otherwise. */
function labelBytes(bytes: Uint8Array, begin: number, end: number): Uint8Array {
  let at = begin;
  while (at < end && bytes[at] === labelTag) {
    let length = 0;
    let scale = 1;
    for (at++; (bytes[at] as number) >= 128; at++, scale *= 128) length += ((bytes[at] as number) & 127) * scale;
    at += 1 + length + (bytes[at] as number) * scale;
  }
  const labels = bytes.slice(begin, at);
  while (at < end && bytes[at] === sampleTag && (bytes[at + 1] as number) < 128) at += 2 + (bytes[at + 1] as number);
  return at === end ? labels : new Uint8Array(0);
}

/** Adds the samples when the series has the labels that are expected and nothing unusual; says whether it did. */
function readAgain<T>(bytes: Uint8Array, begin: number, end: number, { labels, of }: Known<T>, rows: Rows<T>): boolean {
  const size = labels.length;
  if (size === 0 || begin + size > end) return false;
  // From behind: what differs is mostly among the last.
  for (let i = size - 1; i >= 0; i--) if (bytes[begin + i] !== labels[i]) return false;
  const before = rows.count;
  for (let at = begin + size; at < end; ) {
    const stop = readPlainSample(bytes, at, end);
    if (stop < 0) {
      cutRows(rows, before);
      return false;
    }
    addBits(rows, of, plain.timeMs, plain.low, plain.high);
    at = stop;
  }
  return true;
}

/** What `readPlainSample` found: an object for each would be most of the work. */
const plain = { timeMs: 0, low: 0, high: 0 };

/** Where the sample ends; -1 for one that is not just a value and a time, in this order. A value of 0 is left out by its writer. */
function readPlainSample(bytes: Uint8Array, begin: number, end: number): number {
  const length = bytes[begin + 1] as number;
  const stop = begin + 2 + length;
  if (bytes[begin] !== sampleTag || length >= 128 || stop > end) return -1;
  let at = begin + 2;
  plain.low = 0;
  plain.high = 0;
  if (bytes[at] === valueTag && at + 9 < stop) {
    plain.low = halfAt(bytes, at + 1);
    plain.high = halfAt(bytes, at + 5);
    at += 9;
  }
  if (bytes[at] !== timeTag || at + 1 >= stop) return -1;
  let timeMs = 0;
  let scale = 1;
  for (at++; at < stop; at++, scale *= 128) {
    const byte = bytes[at] as number;
    timeMs += (byte & 127) * scale;
    if (byte < 128) break;
  }
  plain.timeMs = timeMs;
  return at + 1 === stop && timeMs <= Number.MAX_SAFE_INTEGER ? stop : -1;
}

function halfAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
