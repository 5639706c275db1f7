import { copyText, makeWordPool } from "#base/word-pool.ts";

/**
 * A text from outside, fit to be shown in one line: what cannot be seen becomes a space, and a long one ends early. It has letters of
 * its own.
 */
export function shown(text: string, letters: number): string {
  return ownText(oneLine(text, letters));
}

/** The same of what is hardly said twice, and is to be forgotten with what says it: a command with its arguments. */
export function shownOnce(text: string, letters: number): string {
  return copyText(oneLine(text, letters));
}

function oneLine(text: string, letters: number): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ")
    .trim()
    .slice(0, letters);
}

/** The same text with letters of its own, for what is kept: a slice keeps the whole text that it was cut from. One for all machines. */
export const ownText = makeWordPool();
