/** The few parts of Protocol Buffers' wire format that remote write needs. Source: protobuf.dev, "Encoding". */

/** Thrown for bytes that are no message. */
export class BrokenMessage extends Error {
  override readonly name = "BrokenMessage";
}

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Walks over the fields of a message, or of a part of the bytes. */
export class MessageReader {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  /** Of the field that `next` found. */
  field = 0;
  wireType = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Moves to the next field's value; false at the end. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw new BrokenMessage("a field has the number 0");
    return true;
  }

  /** As a number: exact up to 2^53. Negative 64-bit numbers are read by `int64`. */
  varint(): number {
    let value = 0;
    for (let scale = 1, count = 0; count < 10; count++, scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new BrokenMessage("a number is longer than 10 bytes");
  }

  /** Signed, exact up to ±2^53. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0, count = 0; count < 10; count++, shift += 7) {
      const byte = this.#byte();
      const bits = byte & 127;
      if (shift < 28) low += bits * 2 ** shift;
      else if (shift === 28) {
        low += (bits & 15) * 2 ** 28;
        high += bits >> 4;
      } else high += bits * 2 ** (shift - 32);
      if (byte < 128) return ((high % 2 ** 32) | 0) * 2 ** 32 + low;
    }
    throw new BrokenMessage("a number is longer than 10 bytes");
  }

  /** Moves into a field of bytes and says where it ends: the reader stands at its begin. */
  enter(): number {
    if (this.wireType !== wireTypes.bytes) throw new BrokenMessage(`field ${this.field} is no bytes`);
    const length = this.varint();
    const end = this.at + length;
    if (end > this.end) throw new BrokenMessage("a field is longer than its message");
    return end;
  }

  skip(): void {
    if (this.wireType === wireTypes.varint) this.varint();
    else if (this.wireType === wireTypes.fixed64) this.advance(8);
    else if (this.wireType === wireTypes.bytes) this.at = this.enter();
    else if (this.wireType === wireTypes.fixed32) this.advance(4);
    else throw new BrokenMessage(`the wire type ${this.wireType} is not known`);
  }

  /** Passes over so many bytes; the place where they begin. */
  advance(count: number): number {
    const from = this.at;
    if (from + count > this.end) throw new BrokenMessage("the message ends too early");
    this.at += count;
    return from;
  }

  #byte(): number {
    if (this.at >= this.end) throw new BrokenMessage("the message ends too early");
    return this.bytes[this.at++] as number;
  }
}

/** Writes a message into bytes that grow. */
export class MessageWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(roomBytes = 4_096) {
    this.#bytes = new Uint8Array(roomBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /** Not negative, up to 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Signed, up to ±2^53; a negative one takes 10 bytes. */
  int64(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 128n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  /** The two halves of a double's bits, so that every NaN stays what it is. */
  fixed64(low: number, high: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#length, low, true);
    this.#view.setUint32(this.#length + 4, high, true);
    this.#length += 8;
  }

  /** With their length before them. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.append(bytes);
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
