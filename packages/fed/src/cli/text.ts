import { stripVTControlCharacters } from "node:util";

/**
 * Text as a terminal shows it: how wide it is, and what of it may be shown. Everything a person did not type into fed
 * (log lines, messages of labs, names of files) is hostile until it has gone through `visible`.
 */

// C0 without tab and newline, DEL, C1, line and paragraph separators, and the marks that turn the direction of writing.
const hostile = new RegExp(
  `[${range(0x00, 0x08)}${range(0x0b, 0x1f)}${range(0x7f, 0x9f)}${range(0x200e, 0x200f)}${range(0x2028, 0x202e)}${range(0x2066, 0x2069)}${range(0xfeff, 0xfeff)}]`,
  "g",
);

function range(from: number, to: number): string {
  const written = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
  return `${written(from)}-${written(to)}`;
}

/** The text without escape sequences; other control characters are written out (`\x07`). Keeps tabs and newlines. */
export function visible(text: string): string {
  if (text.search(hostile) < 0) return text;
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(hostile, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

/** A value as JSON on one line that no terminal can stumble over: hostile characters are written as `\\uXXXX`. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    hostile,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** On one line, for a cell of a table. */
export function visibleInLine(text: string): string {
  return visible(text).replace(/[\t\n]+/g, " ");
}

/** Made when text is first more than ASCII: it takes a dozen milliseconds. */
let segmenter: Intl.Segmenter | undefined;
const graphemesOf = (text: string) => {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
};
const plainAscii = /^[ -~]*$/;
const noWidth = /^[\p{Mark}\p{Format}\p{Control}]+$/u;
const emoji = /^\p{Emoji_Presentation}|\ufe0f|\p{Regional_Indicator}{2}/u;

/** Columns the text takes on a terminal: 2 for East Asian wide letters and emoji, 0 for marks. */
export function widthOf(text: string): number {
  if (plainAscii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (noWidth.test(grapheme)) return 0;
  return emoji.test(grapheme) || isWide(grapheme.codePointAt(0) ?? 0) ? 2 : 1;
}

/** Blocks of East Asian wide and full-width letters (Unicode Standard Annex 11). */
const wideBlocks: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18d08],
  [0x1b000, 0x1b2fb],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

function isWide(codePoint: number): boolean {
  return wideBlocks.some(([from, to]) => codePoint >= from && codePoint <= to);
}

/** At most `columns` wide; what was cut is told by `…`. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return "";
  let kept = "";
  let width = 0;
  for (const { segment } of graphemesOf(text)) {
    width += graphemeWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
