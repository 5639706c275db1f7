/**
 * Ids: a short prefix that names the noun, then 10 letters of time and 8 of chance in Crockford's base 32, so that
 * they sort by the millisecond of their birth, are safe in file names, labels and URLs, and can be read aloud.
 */

const letters = "0123456789abcdefghjkmnpqrstvwxyz";

export interface IdSource {
  nowMs(): number;
  /** Fills the array with random bytes. */
  random(bytes: Uint8Array<ArrayBuffer>): Uint8Array;
}

/** The first millisecond that 10 letters cannot count: in the year 37648. */
const endOfTimeMs = 32 ** 10;

/** `ins_01hq5x9c2k7d3f8mqa` style id. */
export function makeId(prefix: string, source: IdSource): string {
  const bornMs = Math.floor(source.nowMs());
  if (!(bornMs >= 0 && bornMs < endOfTimeMs)) throw new RangeError(`no id for a birth at ${bornMs} ms`);
  let time = "";
  for (let rest = bornMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = letters[rest % 32] + time;
  const chance = Array.from(source.random(new Uint8Array(8)), (byte) => letters[byte % 32]).join("");
  return `${prefix}_${time}${chance}`;
}

export function cryptoRandom(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  return crypto.getRandomValues(bytes);
}
