import { slabSamples } from "./arena.ts";

/**
 * The times of samples that wait uncompressed. Series of one scrape have the same times, so they share a slab of times as long
 * as each next sample of theirs has the time that is there; one that goes its own way gets a slab of its own.
 */
export interface TimeSlabs {
  /** From the start of the span. */
  readonly offsets: Uint32Array[];
  spanEndMs: Float64Array;
  count: Uint8Array;
  users: Uint32Array;
  /** Where an arena has its times, and how many of them; 0 for nowhere. */
  coded: Float64Array;
  codedCount: Uint8Array;
  readonly free: number[];
  made: number;
  /** The one that was begun last. */
  newest: number;
}

const perPage = 128;

export function timeSlabsOf(): TimeSlabs {
  return {
    offsets: [],
    spanEndMs: new Float64Array(0),
    count: new Uint8Array(0),
    users: new Uint32Array(0),
    coded: new Float64Array(0),
    codedCount: new Uint8Array(0),
    free: [],
    made: 0,
    newest: -1,
  };
}

/** A slab that begins with this time, for one user more. */
export function beginTimes(slabs: TimeSlabs, spanEndMs: number, offset: number): number {
  const { newest } = slabs;
  const fits =
    newest >= 0 &&
    (slabs.users[newest] as number) > 0 &&
    slabs.spanEndMs[newest] === spanEndMs &&
    offsetAt(slabs, newest, 0) === offset;
  const slab = fits ? newest : makeSlab(slabs, spanEndMs);
  slabs.newest = slab;
  slabs.users[slab] = (slabs.users[slab] as number) + 1;
  if (!fits) addOffset(slabs, slab, offset);
  return slab;
}

/** Puts a time behind the first `used` of a user of the slab; returns the slab that has it, and that he uses from now on. */
export function addTime(slabs: TimeSlabs, slab: number, used: number, offset: number): number {
  const count = slabs.count[slab] as number;
  if (used < count && offsetAt(slabs, slab, used) === offset) return slab;
  const own = used < count ? copySlab(slabs, slab, used) : slab;
  addOffset(slabs, own, offset);
  return own;
}

function copySlab(slabs: TimeSlabs, slab: number, used: number): number {
  if (slabs.users[slab] === 1) {
    slabs.count[slab] = used;
    slabs.codedCount[slab] = 0;
    return slab;
  }
  const own = makeSlab(slabs, slabs.spanEndMs[slab] as number);
  for (let nth = 0; nth < used; nth++) addOffset(slabs, own, offsetAt(slabs, slab, nth));
  slabs.users[own] = 1;
  leaveTimes(slabs, slab);
  return own;
}

export function leaveTimes(slabs: TimeSlabs, slab: number): void {
  const users = (slabs.users[slab] as number) - 1;
  slabs.users[slab] = users;
  if (users === 0) slabs.free.push(slab);
}

/** The first so many times. */
export function timesIn(slabs: TimeSlabs, slab: number, used: number, spanMs: number): Float64Array {
  const startMs = (slabs.spanEndMs[slab] as number) - spanMs;
  const times = new Float64Array(used);
  for (let nth = 0; nth < used; nth++) times[nth] = startMs + offsetAt(slabs, slab, nth);
  return times;
}

function offsetAt({ offsets }: TimeSlabs, slab: number, nth: number): number {
  return (offsets[Math.floor(slab / perPage)] as Uint32Array)[(slab % perPage) * slabSamples + nth] as number;
}

function addOffset(slabs: TimeSlabs, slab: number, offset: number): void {
  const nth = slabs.count[slab] as number;
  (slabs.offsets[Math.floor(slab / perPage)] as Uint32Array)[(slab % perPage) * slabSamples + nth] = offset;
  slabs.count[slab] = nth + 1;
}

function makeSlab(slabs: TimeSlabs, spanEndMs: number): number {
  const slab = slabs.free.pop() ?? slabs.made++;
  if (slab >= slabs.offsets.length * perPage) addPage(slabs);
  slabs.spanEndMs[slab] = spanEndMs;
  slabs.count[slab] = 0;
  slabs.users[slab] = 0;
  slabs.codedCount[slab] = 0;
  return slab;
}

function addPage(slabs: TimeSlabs): void {
  slabs.offsets.push(new Uint32Array(perPage * slabSamples));
  const size = slabs.offsets.length * perPage;
  if (size <= slabs.count.length) return;
  const room = Math.max(size, slabs.count.length * 2);
  const { spanEndMs, count, users, coded, codedCount } = slabs;
  slabs.spanEndMs = new Float64Array(room);
  slabs.count = new Uint8Array(room);
  slabs.users = new Uint32Array(room);
  slabs.coded = new Float64Array(room);
  slabs.codedCount = new Uint8Array(room);
  slabs.spanEndMs.set(spanEndMs);
  slabs.count.set(count);
  slabs.users.set(users);
  slabs.coded.set(coded);
  slabs.codedCount.set(codedCount);
}
