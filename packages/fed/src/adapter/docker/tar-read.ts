import { Fault } from "#base/fault.ts";
import { tarBlockBytes } from "./tar-write.ts";

/** An entry as it comes by. */
export interface TarPart {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly sizeBytes: number;
  /** The header as it was, with the records that belong to it: written before the body it makes the same entry again. */
  readonly head: Uint8Array;
  /** The bytes with their padding. To be read to its end, or not at all, before the next entry is asked for. */
  body(): AsyncIterable<Uint8Array>;
}

/** Of headers, long names and other records; what is more is no archive of an engine's. */
const recordLimitBytes = 2 ** 20;

/** The entries of an archive, one after the other, in bounded memory. Fault `invalid` when it is none or breaks off. */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarPart> {
  const bytes = makeByteReader(archive);
  try {
    for (;;) {
      const part = await readPart(bytes);
      if (part === undefined) return;
      let left = paddedBytes(part.sizeBytes);
      yield {
        ...part,
        async *body() {
          while (left > 0) {
            const chunk = await bytes.some(left);
            left -= chunk.length;
            yield chunk;
          }
        },
      };
      while (left > 0) left -= (await bytes.some(left)).length;
    }
  } finally {
    await bytes.close();
  }
}

/** A file's bytes, without padding. Fault `invalid` beyond the limit. */
export async function readContent(part: TarPart, limitBytes: number): Promise<Buffer> {
  if (part.sizeBytes > limitBytes) throw broken(`${part.name} is larger than ${limitBytes} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.body()) chunks.push(chunk);
  return Buffer.concat(chunks).subarray(0, part.sizeBytes);
}

const kinds: Readonly<Record<string, TarPart["kind"]>> = {
  "\0": "file",
  "0": "file",
  "2": "link",
  "5": "folder",
  "7": "file",
};

async function readPart(bytes: ByteReader): Promise<Omit<TarPart, "body"> | undefined> {
  const heads: Uint8Array[] = [];
  let told: Readonly<Record<string, string>> = {};
  for (;;) {
    const header = await bytes.exactly(tarBlockBytes);
    if (header === undefined || header.every((byte) => byte === 0)) return undefined;
    checkSum(header);
    const flag = header.toString("latin1", 156, 157);
    const sizeBytes = readNumber(header, 124, 12);
    heads.push(header);
    if (flag === "x" || flag === "g" || flag === "L" || flag === "K") {
      const record = await readRecord(bytes, sizeBytes);
      heads.push(record);
      const value = record.subarray(0, sizeBytes);
      if (flag === "x") told = { ...told, ...readPax(value) };
      if (flag === "L") told = { ...told, path: value.toString().replace(/\0+$/, "") };
      continue;
    }
    const size = told.size === undefined ? sizeBytes : Number(told.size);
    if (!Number.isSafeInteger(size) || size < 0) throw broken("an entry has no size");
    return {
      name: told.path ?? readName(header),
      kind: kinds[flag] ?? "other",
      // Links and folders have no bytes, whatever their header says.
      sizeBytes: "123456".includes(flag) ? 0 : size,
      head: Buffer.concat(heads),
    };
  }
}

async function readRecord(bytes: ByteReader, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes > recordLimitBytes) throw broken("a record is too long");
  const record = await bytes.exactly(paddedBytes(sizeBytes));
  if (record === undefined) throw broken("it ends too early");
  return record;
}

function readName(header: Buffer): string {
  const name = readText(header, 0, 100);
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? readText(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function readText(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** Octal digits, or, as GNU writes what is too large for them, a binary number. */
function readNumber(header: Buffer, at: number, length: number): number {
  if ((header[at] ?? 0) & 0x80) return Number(BigInt(`0x${header.toString("hex", at + 1, at + length)}`));
  const text = readText(header, at, length).trim();
  const value = text === "" ? 0 : Number.parseInt(text, 8);
  if (Number.isNaN(value)) throw broken("a header holds no number where one must be");
  return value;
}

function checkSum(header: Buffer): void {
  const told = readNumber(header, 148, 8);
  let sum = 8 * 0x20;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  if (sum !== told) throw broken("a header's sum is wrong");
}

function readPax(record: Buffer): Record<string, string> {
  const values: Record<string, string> = {};
  for (let at = 0; at < record.length; ) {
    const space = record.indexOf(0x20, at);
    const length = Number(record.toString("latin1", at, space));
    if (space === -1 || !Number.isInteger(length) || length < 5) throw broken("a record is no record");
    const [, key, value] = /^([^=]*)=(.*)\n$/s.exec(record.toString("utf8", space + 1, at + length)) ?? [];
    if (key === undefined || value === undefined) throw broken("a record is no record");
    values[key] = value;
    at += length;
  }
  return values;
}

interface ByteReader {
  /** Undefined at the end of the archive. */
  exactly(sizeBytes: number): Promise<Buffer | undefined>;
  /** At least one, at most so many; what is there already. */
  some(mostBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

function makeByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const some = async (mostBytes: number): Promise<Uint8Array> => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done) throw broken("it ends too early");
      rest = next.value;
    }
    const taken = rest.subarray(0, mostBytes);
    rest = rest.subarray(taken.length);
    return taken;
  };
  return {
    some,
    async exactly(sizeBytes) {
      const parts: Uint8Array[] = [];
      for (let missing = sizeBytes; missing > 0; ) {
        while (rest.length === 0) {
          const next = await chunks.next();
          if (next.done) {
            if (parts.length === 0) return undefined;
            throw broken("it ends too early");
          }
          rest = next.value;
        }
        const part = await some(missing);
        parts.push(part);
        missing -= part.length;
      }
      return Buffer.concat(parts);
    },
    async close() {
      await chunks.return?.();
    },
  };
}

const paddedBytes = (sizeBytes: number) => Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes;

function broken(why: string): Fault {
  return new Fault("invalid", `the archive is no tar: ${why}`);
}
