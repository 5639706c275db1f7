import { unescapeText } from "./series-text.ts";

/** `text` is Prometheus' 0.0.4 (times in whole milliseconds), `openmetrics` is 1.0 (times in seconds, ends with `# EOF`). */
export type ExpositionFormat = "text" | "openmetrics";

/** What is said of a metric: `# HELP name words`, `# TYPE name kind`, `# UNIT name unit`. */
export interface MetricNote {
  readonly about: "help" | "type" | "unit";
  readonly metric: string;
  readonly text: string;
}

export interface ExpositionReader {
  /**
   * One sample. `series` is its name and labels as they are written: the same text is the same series, so that whoever has
   * read it before (`readSeries`) need not read it again. `timeMs` is undefined where the line has none: the time of the
   * scrape. `line` counts from 1.
   */
  sample(series: string, value: number, timeMs: number | undefined, line: number): void;
  note?(note: MetricNote): void;
  /** A line that is none of the format. The lines around it are read all the same. */
  mistake(line: number, message: string): void;
  /** `# EOF`, which ends an OpenMetrics. */
  end?(): void;
}

const newline = 10;
const quote = 34;
const backslash = 92;
const closing = 125;

/** Reads a whole exposition. Source: Prometheus' exposition formats; the value of an exemplar is left out. */
export function readExposition(text: string, format: ExpositionFormat, reader: ExpositionReader): void {
  let line = 0;
  for (let at = 0; at < text.length; ) {
    line++;
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const stop = end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
    const begin = skipBlanks(text, at, stop);
    if (begin < stop) {
      if (text[begin] === "#") {
        if (readComment(text.slice(begin + 1, stop), reader) === "end") {
          reader.end?.();
          if (format === "openmetrics") return;
        }
      } else {
        const message = readSample(text, begin, stop, line, format, reader);
        if (message !== undefined) reader.mistake(line, message);
      }
    }
    at = end + 1;
  }
}

function readSample(
  text: string,
  begin: number,
  stop: number,
  line: number,
  format: ExpositionFormat,
  reader: ExpositionReader,
): string | undefined {
  const end = endOfSeries(text, begin, stop);
  if (end < 0) return "the labels have no end";
  let valueAt = skipBlanks(text, end, stop);
  if (valueAt >= stop) return "there is no value";
  const valueEnd = endOfWord(text, valueAt, stop);
  const value = readNumber(text.slice(valueAt, valueEnd));
  if (value === undefined) return `${quoted(text.slice(valueAt, valueEnd))} is no number`;
  valueAt = skipBlanks(text, valueEnd, stop);
  let timeMs: number | undefined;
  if (valueAt < stop && text[valueAt] !== "#") {
    const timeEnd = endOfWord(text, valueAt, stop);
    timeMs = readTime(text.slice(valueAt, timeEnd), format);
    if (timeMs === undefined) return `${quoted(text.slice(valueAt, timeEnd))} is no time`;
    valueAt = skipBlanks(text, timeEnd, stop);
  }
  // What follows may only be an exemplar.
  if (valueAt < stop && !(format === "openmetrics" && text[valueAt] === "#"))
    return "something stands after the sample";
  reader.sample(text.slice(begin, end), value, timeMs, line);
  return undefined;
}

const quoted = (word: string) => JSON.stringify(word.length > 100 ? `${word.slice(0, 100)}…` : word);

/** Where name and labels end: behind the brace that closes the labels, or at the blank behind a bare name; -1 for nowhere. */
function endOfSeries(text: string, begin: number, stop: number): number {
  const nameEnd = endOfWord(text, begin, stop, true);
  const brace = skipBlanks(text, nameEnd, stop);
  if (text[brace] !== "{") return nameEnd;
  let quoted = false;
  for (let at = brace + 1; at < stop; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash && quoted) at++;
    else if (code === quote) quoted = !quoted;
    else if (code === closing && !quoted) return at + 1;
    else if (code === newline) return -1;
  }
  return -1;
}

function endOfWord(text: string, begin: number, stop: number, orBrace = false): number {
  for (let at = begin; at < stop; at++) {
    const letter = text[at];
    if (letter === " " || letter === "\t" || (orBrace && letter === "{")) return at;
  }
  return stop;
}

function skipBlanks(text: string, begin: number, stop: number): number {
  let at = begin;
  while (at < stop && (text[at] === " " || text[at] === "\t")) at++;
  return at;
}

/** Each digit fits in one place only: a long word that is no number takes no longer than one that is. */
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};

/** As Go reads a float, without its hexadecimal form and its underscores. */
export function readNumber(word: string): number | undefined {
  if (decimal.test(word)) return Number(word);
  const [, sign = "", name = ""] = /^([+-]?)(\w+)$/.exec(word) ?? [];
  const value = Object.hasOwn(words, name.toLowerCase()) ? words[name.toLowerCase()] : undefined;
  return value === undefined ? undefined : sign === "-" ? -value : value;
}

function readTime(word: string, format: ExpositionFormat): number | undefined {
  if (format === "text") return /^-?\d{1,16}$/.test(word) ? Number(word) : undefined;
  const seconds = decimal.test(word) ? Number(word) : Number.NaN;
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : undefined;
}

/** `end` for `# EOF`. Any other comment that is no note of ours is nothing. */
function readComment(comment: string, reader: ExpositionReader): "end" | undefined {
  const [, about = "", metric = "", text = ""] =
    /^[ \t]*(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|\S+)(?:[ \t]+(.*))?$/.exec(comment) ?? [];
  if (about === "") return /^[ \t]*EOF[ \t]*$/.test(comment) ? "end" : undefined;
  const name = metric.startsWith('"') ? unescapeText(metric.slice(1, -1)) : metric;
  const note = { metric: name, text: about === "HELP" ? unescapeText(text) : text.trim() };
  reader.note?.({ about: about.toLowerCase() as MetricNote["about"], ...note });
  return undefined;
}
