import { type ExpositionFormat, type MetricNote, readExposition, readNumber } from "./text.ts";

/** What comes out of a text; `line` counts from 1. */
export interface TextSink<T> {
  sample(of: T, value: number, timeMs: number | undefined, line: number): void;
  /** A note is told again only when its line stands elsewhere. */
  note?(note: MetricNote): void;
  mistake(line: number, message: string): void;
}

/** What is wrong with the text of a series. */
export interface Wrong {
  readonly wrong: string;
}

export type TextReader<T> = (text: string, format: ExpositionFormat, sink: TextSink<T>) => void;

/** A line as it begins: name and labels of a series, or the whole of a comment; and what stood below it the last time. */
interface Known<T extends object> {
  readonly head: string;
  /** Undefined for a comment. */
  readonly of: T | undefined;
  next: Known<T> | undefined;
}

/**
 * Reads expositions as `readExposition` does, faster: who tells its metrics again tells the same series in the same order, so each
 * line is first held against the one that came next the last time. `nameOf` says what a series is to the caller, and is asked
 * once for each; what is known is forgotten when it is more than `most`, or than `mostLetters` long.
 */
export function openTextReader<T extends object>(
  nameOf: (series: string) => T | Wrong,
  most = 200_000,
  mostLetters = usualLetters,
): TextReader<T> {
  const known = new Map<string, Known<T>>();
  const root: Known<T> = { head: "", of: undefined, next: undefined };
  let comments = 0;
  let letters = 0;

  function follow(before: Known<T>, next: Known<T>): Known<T> {
    before.next = next;
    return next;
  }

  /** The series of a line that was not expected. */
  function seriesOf(series: string): Known<T> | Wrong {
    const there = known.get(series);
    if (there !== undefined) return there;
    // Its labels are slices, too.
    const head = ownText(series);
    const of = nameOf(head);
    if ("wrong" in of) return of;
    const made = { head, of, next: undefined };
    known.set(head, made);
    letters += head.length;
    return made;
  }

  return (text, format, sink) => {
    if (known.size + comments > most || letters > mostLetters) {
      known.clear();
      comments = 0;
      letters = 0;
      root.next = undefined;
    }
    let [before, line] = [root, 0];
    for (let at = 0; at < text.length; ) {
      line++;
      const expected = before.next;
      const end = expected === undefined ? -1 : readAgain(text, at, format, expected);
      if (expected !== undefined && end >= 0) {
        if (expected.of !== undefined) sink.sample(expected.of, read.value, read.timeMs, line);
        before = expected;
        at = end + 1;
        continue;
      }
      const found = text.indexOf("\n", at);
      const stop = found < 0 ? text.length : found;
      let over = false;
      readExposition(text.slice(at, stop), format, {
        sample(series, value, timeMs) {
          const one = seriesOf(series);
          if ("wrong" in one) return sink.mistake(line, `${series.slice(0, 200)}: ${one.wrong}`);
          before = follow(before, one);
          sink.sample(one.of as T, value, timeMs, line);
        },
        note(note) {
          sink.note?.(note);
          comments++;
          const head = ownText(text.slice(at, stop));
          letters += head.length;
          before = follow(before, { head, of: undefined, next: undefined });
        },
        mistake: (_line, message) => sink.mistake(line, message),
        end() {
          over = true;
        },
      });
      if (over && format === "openmetrics") return;
      at = stop + 1;
    }
  };
}

/** 200,000 series of a usual length have half of it. */
const usualLetters = 64 * 1024 * 1024;

/** The same text with letters of its own: a slice keeps the whole text that it was cut from. */
export function ownText(slice: string): string {
  return Buffer.from(slice).toString();
}

const newline = 10;
const blank = 32;
const minus = 45;
const dot = 46;
const zero = 48;

/** What `readAgain` found: an object for each line would be most of the work. */
const read: { value: number; timeMs: number | undefined } = { value: 0, timeMs: undefined };

/** Where the line ends, when it is a plain one that begins as expected; -1 otherwise. */
function readAgain<T extends object>(text: string, at: number, format: ExpositionFormat, expected: Known<T>): number {
  const { head, of } = expected;
  const stop = at + head.length;
  // A slice is a place in the text and no copy; comparing it is faster than `startsWith`.
  if (text.slice(at, stop) !== head) return -1;
  if (of === undefined) return stop === text.length || text.charCodeAt(stop) === newline ? stop : -1;
  if (text.charCodeAt(stop) !== blank) return -1;
  let end = endOfPlain(text, stop + 1);
  const value = numberAt(text, stop + 1, end);
  if (value === undefined) return -1;
  read.value = value;
  read.timeMs = undefined;
  if (format === "text" && text.charCodeAt(end) === blank) {
    const begin = end + 1;
    end = endOfPlain(text, begin);
    const timeMs = end - begin > 16 ? undefined : wholeAt(text, begin, end);
    if (timeMs === undefined) return -1;
    read.timeMs = timeMs;
  }
  return end === text.length || text.charCodeAt(end) === newline ? end : -1;
}

function endOfPlain(text: string, begin: number): number {
  let at = begin;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === blank || code === newline) break;
  }
  return at;
}

/** Ten to the powers that a double has exactly. */
const powers = Array.from({ length: 16 }, (_, i) => 10 ** i);

/**
 * A decimal of at most 15 digits is one whole number divided by another, both exact, so the quotient is the nearest double. Source:
 * W. D. Clinger, "How to Read Floating Point Numbers Accurately" (1990).
 */
function numberAt(text: string, begin: number, end: number): number | undefined {
  const negative = text.charCodeAt(begin) === minus;
  let [digits, point, whole] = [0, -1, 0];
  for (let at = negative ? begin + 1 : begin; at < end; at++) {
    const code = text.charCodeAt(at);
    const digit = code - zero;
    if (digit >= 0 && digit <= 9 && digits < 15) {
      whole = whole * 10 + digit;
      digits++;
    } else if (code === dot && point < 0) point = digits;
    else return readNumber(text.slice(begin, end));
  }
  if (digits === 0) return undefined;
  const value = point < 0 ? whole : whole / (powers[digits - point] as number);
  return negative ? -value : value;
}

function wholeAt(text: string, begin: number, end: number): number | undefined {
  if (begin === end) return undefined;
  let whole = 0;
  for (let at = begin; at < end; at++) {
    const digit = text.charCodeAt(at) - zero;
    if (digit < 0 || digit > 9) return undefined;
    whole = whole * 10 + digit;
  }
  return whole;
}
