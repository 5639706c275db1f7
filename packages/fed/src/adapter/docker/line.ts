/** Frames with a time in front to lines of text, each with its place. */
import type { Frame } from "./frame.ts";

const lineLimitBytes = 64 * 1024;

/**
 * Where a line is: when it was written, in nanoseconds since the epoch as far as the engine tells them, and which of the lines of that
 * very moment it is.
 */
export interface Place {
  readonly timeNs: bigint;
  readonly nth: number;
}

export interface PlacedLine extends Place {
  readonly text: string;
}

export function placeText({ timeNs, nth }: Place): string {
  return `${timeNs}/${nth}`;
}

/** Undefined for what never was one. */
export function parsePlace(text: string): Place | undefined {
  const [, timeNs, nth] = /^(\d{16,20})\/(\d{1,9})$/.exec(text) ?? [];
  return timeNs === undefined || nth === undefined ? undefined : { timeNs: BigInt(timeNs), nth: Number(nth) };
}

interface Part {
  readonly time: string;
  readonly chunks: Buffer[];
  sizeBytes: number;
  dropped: number;
}

/**
 * A frame is a line, or a part of a long one, which ends without a newline; each begins with the time. Lines of one moment are counted from
 * where the reading began. `rest`: whether what has no end yet is a line, too.
 */
export async function* readPlacedLines(frames: AsyncIterable<Frame>, rest: boolean): AsyncGenerator<PlacedLine> {
  const open = new Map<Frame["stream"], Part>();
  let last: Place = { timeNs: -1n, nth: 0 };
  const close = (part: Part): PlacedLine => {
    const timeNs = parseTime(part.time);
    last = { timeNs, nth: timeNs === last.timeNs ? last.nth + 1 : 0 };
    return { ...last, text: textOf(part) };
  };
  for await (const { stream, bytes } of frames) {
    const space = bytes.indexOf(0x20);
    const isWhole = bytes.at(-1) === 0x0a;
    const content = bytes.subarray(space + 1, isWhole ? bytes.length - 1 : bytes.length);
    const part = open.get(stream) ?? {
      time: bytes.toString("latin1", 0, Math.max(space, 0)),
      chunks: [],
      sizeBytes: 0,
      dropped: 0,
    };
    add(part, content);
    if (isWhole) {
      open.delete(stream);
      yield close(part);
    } else open.set(stream, part);
  }
  if (rest) for (const part of open.values()) yield close(part);
}

function add(part: Part, content: Buffer): void {
  const room = content.subarray(0, lineLimitBytes - part.sizeBytes);
  if (room.length > 0) part.chunks.push(Buffer.from(room));
  part.sizeBytes += room.length;
  part.dropped += content.length - room.length;
}

/** What is no UTF-8 becomes U+FFFD; of a line longer than the limit the beginning is kept, and marked. */
function textOf({ chunks, dropped }: Part): string {
  const text = Buffer.concat(chunks).toString("utf8");
  if (dropped > 0) return `${text.replace(/\uFFFD$/, "")} … [${dropped} more bytes in this line]`;
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

/** RFC 3339 with up to nine digits of a second. */
export function parseTime(text: string): bigint {
  const [, seconds = "", fraction = "", zone = "Z"] = /^([^.Z+]+?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? 0n : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
