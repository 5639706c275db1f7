import { Fault } from "#base/fault.ts";

/**
 * A word as a POSIX shell reads it back, at any place of a command but its first one, where a plain word may be a keyword. Quoted only
 * where it must be. The one way by which a string gets into a text that a shell reads. Fault `invalid` for NUL, which no argv can hold.
 */
export function quoteWord(word: string): string {
  if (word.includes("\0"))
    throw new Fault("invalid", "a word of a command contains NUL, which no command line can hold");
  return /^(?:-[\w@%+=:,./-]*|[\w@%+:,./-]+)$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
