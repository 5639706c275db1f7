import { createHash } from "node:crypto";
import { Fault } from "#base/fault.ts";

/**
 * A master key on paper: four numbered lines of sixteen letters in Crockford's base 32, which has no letter that is taken for another.
 * Each line carries eight bytes and a sum of its own over these and its number, so that a slip of the pen is found with its line.
 */

const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const lineCount = 4;
const lineBytes = 8;
const byteLetters = 13;
const sumLetters = 3;
const lineLetters = byteLetters + sumLetters;
/** In a variable of the environment all four may stand on one line. */
const numberedLine = /(?<=^|\s)([1-4])[^\S\n]*:([^\n:]*?)(?=\s[1-4][^\S\n]*:|\n|$)/g;

/** `1:  7QZ2 M0PD …`, of 32 bytes. */
export function linesOfSheet(bytes: Uint8Array): readonly string[] {
  return Array.from({ length: lineCount }, (_, index) => {
    const part = bytes.subarray(index * lineBytes, (index + 1) * lineBytes);
    const groups = (lettersOf(part) + sumOf(part, index)).match(/.{4}/g) ?? [];
    return `${index + 1}:  ${groups.join(" ")}`;
  });
}

/** The bytes, from a whole sheet or from its letters alone. Fault `invalid` names the line that is wrong. */
export function readSheetLines(text: string): Uint8Array {
  const lines = linesIn(text);
  const bytes = lines.map((line, index) => {
    const value = line.length === lineLetters ? bytesOf(line.slice(0, byteLetters)) : undefined;
    if (value === undefined || sumOf(value, index) !== line.slice(byteLetters)) throw wrongLine(index + 1);
    return value;
  });
  return Buffer.concat(bytes);
}

/** The four lines in plain letters, in the order of their numbers. */
function linesIn(text: string): readonly string[] {
  const numbered = new Map<string, string>();
  for (const [, number = "", rest = ""] of text.matchAll(numberedLine)) {
    if (numbered.has(number)) throw new Fault("invalid", `line ${number} of the recovery sheet is there twice`);
    numbered.set(number, plain(rest));
  }
  if (numbered.size > 0) return Array.from({ length: lineCount }, (_, index) => numbered.get(String(index + 1)) ?? "");
  const all = plain(text.slice(0, 1_000));
  if (all.length === lineCount * lineLetters) return all.match(/.{16}/g) ?? [];
  throw new Fault("invalid", "this is no master key", {
    hint: "It is the text of master.key (43 letters), or the four numbered lines of a recovery sheet.",
  });
}

/** As they were meant: an O is a zero, an I and an L are a one. */
function plain(text: string): string {
  return text.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
}

function wrongLine(number: number): Fault {
  return new Fault("invalid", `line ${number} of the recovery sheet is not as it was printed`, {
    hint: "Compare it letter by letter: 16 letters in four groups, after its number and a colon.",
  });
}

/** 64 bits in 13 letters, the highest first. */
function lettersOf(bytes: Uint8Array): string {
  return textOf(Buffer.from(bytes).readBigUInt64BE(), byteLetters);
}

function bytesOf(text: string): Uint8Array | undefined {
  let value = 0n;
  for (const letter of text) {
    const digit = letters.indexOf(letter);
    if (digit < 0) return undefined;
    value = value * 32n + BigInt(digit);
  }
  if (value >= 1n << 64n) return undefined;
  const bytes = Buffer.alloc(lineBytes);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function sumOf(bytes: Uint8Array, index: number): string {
  const hash = createHash("sha256").update(`fed recovery sheet ${index}\0`).update(bytes).digest();
  return textOf(BigInt(hash.readUInt16BE() >> 1), sumLetters);
}

function textOf(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest /= 32n) text = letters[Number(rest % 32n)] + text;
  return text;
}
