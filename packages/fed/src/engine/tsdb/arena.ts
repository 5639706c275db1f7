import { bytesOf, cursorOf, written } from "./bytes.ts";
import { decodeTimes, decodeValues, encodeTimes, encodeValues, wordsOf } from "./codec.ts";
import { setTail, type Tails, tailOf } from "./tails.ts";

/** How many samples of a series wait uncompressed. */
export const slabSamples = 32;

const usualBlockBytes = 1 << 18;

/** Chunks of samples of one span of time, compressed as columns without zstd, one chain for each series. */
export interface Arena {
  readonly startMs: number;
  readonly endMs: number;
  /** Of which each is so long. */
  readonly blockBytes: number;
  readonly blocks: Uint8Array<ArrayBuffer>[];
  at: number;
  /** In chunks. */
  samples: number;
  /** By a series' id: where its newest chunk is. */
  readonly tails: Tails;
  /** By a series' id: samples that came late, ascending. */
  readonly late: Map<number, LateSamples>;
}

export interface LateSamples {
  times: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  count: number;
}

/** Samples being gathered, ascending. */
export interface Gathered {
  times: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  count: number;
}

export function arenaOf(startMs: number, endMs: number, blockBytes = usualBlockBytes): Arena {
  return { startMs, endMs, blockBytes, blocks: [], at: 0, samples: 0, tails: new Map(), late: new Map() };
}

/** previous chunk + 1, first and last time from the start of the span: uint32 each; then samples, size of head and of body: uint16. */
const chunkHeaderBytes = 18;
const head = bytesOf(1024);
const body = bytesOf(1024);

export function addChunk(arena: Arena, id: number, times: Float64Array, values: Float64Array): void {
  head.at = 0;
  body.at = 0;
  encodeTimes(times, head, body);
  encodeValues(values, head, body);
  const sizeBytes = chunkHeaderBytes + head.at + body.at;
  const { blockBytes } = arena;
  const last = arena.blocks.at(-1);
  if (
    last === undefined ||
    (arena.at % blockBytes) + sizeBytes > blockBytes ||
    arena.at === arena.blocks.length * blockBytes
  ) {
    arena.at = arena.blocks.length * blockBytes;
    arena.blocks.push(new Uint8Array(blockBytes));
  }
  const block = arena.blocks.at(-1) as Uint8Array<ArrayBuffer>;
  const at = arena.at % blockBytes;
  const view = new DataView(block.buffer, at, chunkHeaderBytes);
  view.setUint32(0, tailOf(arena.tails, id) + 1, true);
  view.setUint32(4, (times[0] as number) - arena.startMs, true);
  view.setUint32(8, (times.at(-1) as number) - arena.startMs, true);
  view.setUint16(12, times.length, true);
  view.setUint16(14, head.at, true);
  view.setUint16(16, body.at, true);
  block.set(written(head), at + chunkHeaderBytes);
  block.set(written(body), at + chunkHeaderBytes + head.at);
  setTail(arena.tails, id, arena.at);
  arena.at += sizeBytes;
  arena.samples += times.length;
}

/** Appends the samples of a series' chunks that touch the span, ascending. */
export function readChunks(arena: Arena, id: number, startMs: number, endMs: number, into: Gathered): void {
  const { blockBytes } = arena;
  const found: number[] = [];
  for (let next = tailOf(arena.tails, id); next >= 0; ) {
    const view = new DataView(
      (arena.blocks[Math.floor(next / blockBytes)] as Uint8Array<ArrayBuffer>).buffer,
      next % blockBytes,
    );
    const [first, last] = [view.getUint32(4, true) + arena.startMs, view.getUint32(8, true) + arena.startMs];
    if (last < startMs) break;
    if (first <= endMs) found.push(next);
    next = view.getUint32(0, true) - 1;
  }
  for (const at of found.reverse()) readChunk(arena, at, into);
}

function readChunk(arena: Arena, address: number, into: Gathered): void {
  const block = arena.blocks[Math.floor(address / arena.blockBytes)] as Uint8Array<ArrayBuffer>;
  const at = address % arena.blockBytes;
  const view = new DataView(block.buffer, at, chunkHeaderBytes);
  const count = view.getUint16(12, true);
  const headAt = at + chunkHeaderBytes;
  const bodyAt = headAt + view.getUint16(14, true);
  const from = cursorOf(block, headAt, bodyAt);
  const planes = cursorOf(block, bodyAt, bodyAt + view.getUint16(16, true));
  makeRoom(into, count);
  decodeTimes(from, planes, count, into.times.subarray(into.count, into.count + count));
  decodeValues(from, planes, count, into.values.subarray(into.count, into.count + count));
  into.count += count;
}

export function makeRoom(into: Gathered, count: number): void {
  if (into.count + count <= into.times.length) return;
  const size = Math.max(into.count + count, into.times.length * 2, 64);
  const times = new Float64Array(size);
  const values = new Float64Array(size);
  times.set(into.times.subarray(0, into.count));
  wordsOf(values).set(wordsOf(into.values).subarray(0, 2 * into.count));
  into.times = times;
  into.values = values;
}

/** Forgets what the arena has of the series. */
export function dropChunks(arena: Arena, id: number): void {
  const { blockBytes, blocks } = arena;
  for (let next = tailOf(arena.tails, id); next >= 0; ) {
    const { buffer } = blocks[Math.floor(next / blockBytes)] as Uint8Array<ArrayBuffer>;
    const view = new DataView(buffer, next % blockBytes, chunkHeaderBytes);
    arena.samples -= view.getUint16(12, true);
    next = view.getUint32(0, true) - 1;
  }
  setTail(arena.tails, id, -1);
  arena.late.delete(id);
}

/** Puts a sample in its place among those that came late; the caller knows that none has its time. */
export function addLate(arena: Arena, id: number, timeMs: number, low: number, high: number): void {
  const late = arena.late.get(id) ?? { times: new Float64Array(4), values: new Float64Array(4), count: 0 };
  arena.late.set(id, late);
  makeRoom(late, 1);
  let at = late.count;
  while (at > 0 && (late.times[at - 1] as number) > timeMs) at--;
  late.times.copyWithin(at + 1, at, late.count);
  const words = wordsOf(late.values);
  words.copyWithin(2 * at + 2, 2 * at, 2 * late.count);
  late.times[at] = timeMs;
  words[2 * at] = low;
  words[2 * at + 1] = high;
  late.count++;
}
