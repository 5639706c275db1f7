/** Words of kernel's files. What is no number is undefined, never NaN: each reader skips what it does not know. */

/** The lines that are not empty. */
export function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

export function wordsOf(line: string): readonly string[] {
  return line.trim().split(/\s+/);
}

/** A count, as exact as a double: counters of the kernel may be near 2^64. */
export function countOf(word: string | undefined): number | undefined {
  return word !== undefined && /^\d{1,20}$/.test(word) ? Number(word) : undefined;
}

/** Also with a sign and a fraction. */
export function numberOf(word: string | undefined): number | undefined {
  return word !== undefined && /^-?\d{1,20}(\.\d{1,9})?$/.test(word) ? Number(word) : undefined;
}

/** The first line of a file that has one line; undefined when it is empty. NUL ends the texts of a device tree. */
export function lineOf(text: string | undefined): string | undefined {
  const line = text?.split(/[\n\0]/, 1)[0]?.trim();
  return line === undefined || line === "" ? undefined : line;
}

/** The last moment that a date can name: what is beyond is no date, for a page as little as for anybody. */
const lastMs = 8.64e15;

/** A moment that was reckoned from what a machine says. */
export function momentOf(ms: number): number {
  return Math.min(Math.max(Math.round(ms), 0), lastMs);
}

/** A count that is handed on as a whole number: beyond this one it would be none. */
export function wholeOf(count: number): number {
  return Math.min(count, Number.MAX_SAFE_INTEGER);
}
