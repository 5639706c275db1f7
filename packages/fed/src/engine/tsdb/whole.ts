import {
  type Bytes,
  type Cursor,
  readByte,
  readBytes,
  readCount,
  readWhole,
  reserve,
  writeByte,
  writeCount,
  writeWhole,
} from "./bytes.ts";

/**
 * A column of whole numbers: the first one or two, then what is left after taking each from the one before (`order` 1) or
 * from the line through the two before (`order` 2), or from the first (`order` 0), divided by what all have in common, from
 * the least up or as zigzag, split into planes of bytes, so that zstd sees like beside like.
 *
 * Exact for numbers within ±2^50, because then no rest of rests is beyond 2^53.
 */
interface Shape {
  readonly order: 0 | 1 | 2;
  readonly zigzag: boolean;
  readonly base: number;
  readonly divisor: number;
  readonly width: number;
}

let rests = new Float64Array(0);

/** The shape goes to `head`, the planes go to `body`. Returns how long each plane is. */
export function encodeWholes(numbers: Float64Array, count: number, head: Bytes, body: Bytes): number {
  const order = isLine(numbers, count) ? 1 : cheapestOrder(numbers, count);
  if (rests.length < count) rests = new Float64Array(Math.max(1024, count * 2));
  const from = Math.max(1, order);
  const left = count - from;
  takeRests(numbers, count, order);
  const shape = shapeOf(order, Math.max(0, left));
  writeByte(head, shape.order | (shape.zigzag ? 4 : 0) | (shape.width << 3));
  for (let i = 0; i < Math.min(count, from); i++) writeWhole(head, numbers[i] as number);
  if (left <= 0) return 0;
  writeWhole(head, shape.base);
  writeCount(head, shape.divisor);
  writePlanes(shape, left, body);
  return left;
}

function isLine(numbers: Float64Array, count: number): boolean {
  const step = (numbers[1] as number) - (numbers[0] as number);
  for (let i = 2; i < count; i++) if ((numbers[i] as number) - (numbers[i - 1] as number) !== step) return false;
  return true;
}

/** By how many bits the numbers lie from their middle, which outliers (a counter that began anew) hardly move. */
function cheapestOrder(numbers: Float64Array, count: number): 0 | 1 | 2 {
  let [zero, one, two] = [0, 0, 0];
  const [middle, slope] = [median(numbers, count, 0), median(numbers, count, 1)];
  let delta = slope;
  for (let i = 1; i < count; i++) {
    const number = numbers[i] as number;
    const next = number - (numbers[i - 1] as number);
    zero += bitsOf(number - middle);
    one += bitsOf(next - slope);
    two += bitsOf(next - delta);
    delta = next;
  }
  return zero <= one && zero <= two ? 0 : one <= two ? 1 : 2;
}

const probes = new Float64Array(15);

/** Of a few numbers (or of their distances from the one before) from all over the column. */
function median(numbers: Float64Array, count: number, order: 0 | 1): number {
  const taken = Math.min(probes.length, count - order);
  for (let i = 0; i < taken; i++) {
    const at = order + Math.floor((i * (count - order)) / taken);
    probes[i] = (numbers[at] as number) - (order === 1 ? (numbers[at - 1] as number) : 0);
  }
  return taken < 1 ? 0 : (probes.subarray(0, taken).sort()[taken >> 1] as number);
}

function bitsOf(number: number): number {
  const size = number < 0 ? -number : number;
  return size < 0x80000000 ? 32 - Math.clz32(size) : 64 - Math.clz32(size / 4294967296);
}

function takeRests(numbers: Float64Array, count: number, order: 0 | 1 | 2): void {
  const first = numbers[0] as number;
  if (order === 0) for (let i = 1; i < count; i++) rests[i - 1] = (numbers[i] as number) - first;
  if (order === 1) for (let i = 1; i < count; i++) rests[i - 1] = (numbers[i] as number) - (numbers[i - 1] as number);
  if (order !== 2) return;
  let delta = count > 1 ? (numbers[1] as number) - first : 0;
  for (let i = 2; i < count; i++) {
    const next = (numbers[i] as number) - (numbers[i - 1] as number);
    rests[i - 2] = next - delta;
    delta = next;
  }
}

/** Also divides the rests by what they have in common. */
function shapeOf(order: 0 | 1 | 2, left: number): Shape {
  let divisor = 0;
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < left; i++) {
    const rest = rests[i] as number;
    if (divisor !== 1) divisor = commonDivisor(divisor, rest < 0 ? -rest : rest);
    if (rest < least) least = rest;
    if (rest > most) most = rest;
  }
  if (divisor === 0) return { order, zigzag: false, base: 0, divisor: 1, width: 0 };
  if (divisor > 1) for (let i = 0; i < left; i++) rests[i] = (rests[i] as number) / divisor;
  least /= divisor;
  most /= divisor;
  const zigzag = 2 * Math.max(most, -least) <= Number.MAX_SAFE_INTEGER && isZigzagShorter(left, least);
  const top = zigzag ? 2 * Math.max(most, -least) : most - least;
  return { order, zigzag, base: zigzag ? 0 : least, divisor, width: Math.ceil(bitsOf(top) / 8) };
}

function commonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** A few outliers (a counter that began anew) would make all others long when counted from the least. */
function isZigzagShorter(left: number, least: number): boolean {
  let [fromLeast, fromZero] = [0, 0];
  for (let i = 0; i < left; i++) {
    const rest = rests[i] as number;
    fromLeast += (bitsOf(rest - least) + 7) >> 3;
    fromZero += (bitsOf(rest < 0 ? -2 * rest - 1 : 2 * rest) + 7) >> 3;
  }
  return fromZero < fromLeast;
}

function writePlanes({ zigzag, base, width }: Shape, left: number, body: Bytes): void {
  reserve(body, left * width);
  const { data, at } = body;
  if (width === 1 && !zigzag) {
    for (let i = 0; i < left; i++) data[at + i] = (rests[i] as number) - base;
    body.at += left;
    return;
  }
  for (let i = 0; i < left; i++) {
    const rest = rests[i] as number;
    const number = zigzag ? (rest < 0 ? -2 * rest - 1 : 2 * rest) : rest - base;
    let low = number | 0; // modulo 2^32
    for (let plane = 0, to = at + i; plane < width; plane++, to += left) {
      if (plane === 4) low = Math.floor(number / 4294967296);
      data[to] = low;
      low >>>= 8;
    }
  }
  body.at += left * width;
}

/** The reverse, into `into[0, count)`. */
export function decodeWholes(head: Cursor, body: Cursor, count: number, into: Float64Array): void {
  const flags = readByte(head);
  const [order, zigzag, width] = [flags & 3, (flags & 4) !== 0, flags >> 3];
  if (order > 2 || width > 7) throw new RangeError("a column of no known shape");
  const from = Math.max(1, order);
  for (let i = 0; i < Math.min(count, from); i++) into[i] = readWhole(head);
  const left = count - from;
  if (left <= 0) return;
  const base = readWhole(head);
  const divisor = readCount(head);
  readPlanes(readBytes(body, left * width), left, width, into.subarray(from, count));
  const [first, second] = [into[0] as number, order === 2 ? (into[1] as number) : 0];
  let last = order === 2 ? second : first;
  let delta = second - first;
  for (let i = from; i < count; i++) {
    const raw = into[i] as number;
    const rest = (zigzag ? (raw % 2 === 1 ? -(raw + 1) / 2 : raw / 2) : raw + base) * divisor;
    if (order === 0) last = first + rest;
    else if (order === 1) last += rest;
    else {
      delta += rest;
      last += delta;
    }
    into[i] = last;
  }
}

function readPlanes(planes: Uint8Array, left: number, width: number, into: Float64Array): void {
  if (width === 0) into.fill(0);
  else if (width === 1) into.set(planes);
  else if (width === 2) {
    for (let i = 0; i < left; i++) into[i] = (planes[i] as number) | ((planes[i + left] as number) << 8);
  } else {
    for (let i = 0; i < left; i++) {
      let low = 0;
      let at = i;
      for (let plane = 0; plane < width && plane < 4; plane++, at += left) low |= (planes[at] as number) << (8 * plane);
      let high = 0;
      for (let plane = 4; plane < width; plane++, at += left) high |= (planes[at] as number) << (8 * (plane - 4));
      into[i] = (low >>> 0) + high * 4294967296;
    }
  }
}
