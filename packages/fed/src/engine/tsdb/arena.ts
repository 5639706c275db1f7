import { bytesOf, type Cursor, cursorOf, written } from "./bytes.ts";
import { decodeTimes, decodeValues, encodeTimes, encodeValues, wordsOf } from "./codec.ts";
import { setTail, type Tails, tailOf } from "./tails.ts";

/** How many samples of a series wait uncompressed. */
export const slabSamples = 32;

const usualBlockBytes = 1 << 18;

/** Chunks of samples of one span of time, compressed as columns without zstd, one chain for each series. Chunks share their times. */
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

/** first and last time from the start of the span: uint32 each; samples, size of head and of body: uint16. */
const timesHeaderBytes = 14;
/** previous chunk + 1, where its times are: uint32 each; size of head and of body: uint16. */
const chunkHeaderBytes = 12;
const head = bytesOf(1024);
const body = bytesOf(1024);

/** Times, for chunks of as many samples; returns where they are. */
export function addTimes(arena: Arena, times: Float64Array): number {
  head.at = 0;
  body.at = 0;
  encodeTimes(times, head, body);
  const at = place(arena, timesHeaderBytes + head.at + body.at);
  const view = viewAt(arena, at, timesHeaderBytes);
  view.setUint32(0, (times[0] as number) - arena.startMs, true);
  view.setUint32(4, (times.at(-1) as number) - arena.startMs, true);
  view.setUint16(8, times.length, true);
  finish(arena, at, timesHeaderBytes, view);
  return at;
}

/** `timesAt`: of as many times as values, in the same arena. */
export function addChunk(arena: Arena, id: number, timesAt: number, values: Float64Array): void {
  head.at = 0;
  body.at = 0;
  encodeValues(values, head, body);
  const at = place(arena, chunkHeaderBytes + head.at + body.at);
  const view = viewAt(arena, at, chunkHeaderBytes);
  view.setUint32(0, tailOf(arena.tails, id) + 1, true);
  view.setUint32(4, timesAt, true);
  finish(arena, at, chunkHeaderBytes, view);
  setTail(arena.tails, id, at);
  arena.samples += values.length;
}

/** Room in one block. */
function place(arena: Arena, sizeBytes: number): number {
  const { blockBytes, blocks } = arena;
  const end = blocks.length * blockBytes;
  if (blocks.length === 0 || arena.at + sizeBytes > end) {
    arena.at = end;
    blocks.push(new Uint8Array(blockBytes));
  }
  arena.at += sizeBytes;
  return arena.at - sizeBytes;
}

/** Writes head and body, and how long they are, which the header ends with. */
function finish(arena: Arena, at: number, headerBytes: number, header: DataView): void {
  header.setUint16(headerBytes - 4, head.at, true);
  header.setUint16(headerBytes - 2, body.at, true);
  const block = arena.blocks[Math.floor(at / arena.blockBytes)] as Uint8Array<ArrayBuffer>;
  const from = (at % arena.blockBytes) + headerBytes;
  block.set(written(head), from);
  block.set(written(body), from + head.at);
}

function viewAt({ blocks, blockBytes }: Arena, at: number, sizeBytes: number): DataView {
  const { buffer } = blocks[Math.floor(at / blockBytes)] as Uint8Array<ArrayBuffer>;
  return new DataView(buffer, at % blockBytes, sizeBytes);
}

/** Appends the samples of a series' chunks that touch the span, ascending. */
export function readChunks(arena: Arena, id: number, startMs: number, endMs: number, into: Gathered): void {
  const found: number[] = [];
  for (let next = tailOf(arena.tails, id); next >= 0; ) {
    const chunk = viewAt(arena, next, chunkHeaderBytes);
    const times = viewAt(arena, chunk.getUint32(4, true), timesHeaderBytes);
    if (times.getUint32(4, true) + arena.startMs < startMs) break;
    if (times.getUint32(0, true) + arena.startMs <= endMs) found.push(next);
    next = chunk.getUint32(0, true) - 1;
  }
  for (const at of found.reverse()) readChunk(arena, at, into);
}

function readChunk(arena: Arena, at: number, into: Gathered): void {
  const timesAt = viewAt(arena, at, chunkHeaderBytes).getUint32(4, true);
  const count = viewAt(arena, timesAt, timesHeaderBytes).getUint16(8, true);
  const [from, to] = [into.count, into.count + count];
  makeRoom(into, count);
  const times = partsOf(arena, timesAt, timesHeaderBytes);
  decodeTimes(times.head, times.body, count, into.times.subarray(from, to));
  const values = partsOf(arena, at, chunkHeaderBytes);
  decodeValues(values.head, values.body, count, into.values.subarray(from, to));
  into.count = to;
}

function partsOf(arena: Arena, at: number, headerBytes: number): { readonly head: Cursor; readonly body: Cursor } {
  const view = viewAt(arena, at, headerBytes);
  const block = arena.blocks[Math.floor(at / arena.blockBytes)] as Uint8Array;
  const headAt = (at % arena.blockBytes) + headerBytes;
  const bodyAt = headAt + view.getUint16(headerBytes - 4, true);
  const end = bodyAt + view.getUint16(headerBytes - 2, true);
  return { head: cursorOf(block, headAt, bodyAt), body: cursorOf(block, bodyAt, end) };
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
  for (let next = tailOf(arena.tails, id); next >= 0; ) {
    const chunk = viewAt(arena, next, chunkHeaderBytes);
    arena.samples -= viewAt(arena, chunk.getUint32(4, true), timesHeaderBytes).getUint16(8, true);
    next = chunk.getUint32(0, true) - 1;
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
