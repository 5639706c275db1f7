/** A text from outside, fit to be shown in one line: what cannot be seen becomes a space, and a long one ends early. */
export function shown(text: string, letters: number): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ")
    .trim()
    .slice(0, letters);
}

/** The same text with letters of its own, for what is kept: a slice keeps the whole text that it was cut from. */
export function ownText(slice: string): string {
  return Buffer.from(slice).toString();
}
