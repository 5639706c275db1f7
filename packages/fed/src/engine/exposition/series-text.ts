import { type Labels, labelsOf, metricName } from "../series/labels.ts";

/** Why a text is no series: words, and where in the text it goes wrong (UTF-16 code units from its begin). */
export interface SeriesMistake {
  readonly message: string;
  readonly at: number;
}

export const isMistake = (read: Labels | SeriesMistake): read is SeriesMistake => !Array.isArray(read);

const plainName = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const plainLabel = /[A-Za-z_][A-Za-z0-9_]*/y;

/**
 * The labels of `name{label="value",…}`, or of `{"any name","any label"="value"}` as Prometheus 3 writes what is no plain
 * name. Escapes are `\\`, `\"` and `\n`. Source: Prometheus' exposition formats, 0.0.4 and OpenMetrics 1.0.
 */
export function readSeries(text: string): Labels | SeriesMistake {
  const record: Record<string, string> = Object.create(null);
  let at = 0;
  const name = match(plainName, text, at);
  if (name !== undefined) {
    record[metricName] = name;
    at += name.length;
  }
  at = skipBlanks(text, at);
  if (at === text.length) return name === undefined ? { message: "there is no name", at } : labelsOf(record);
  if (text[at] !== "{") return { message: `${JSON.stringify(text[at])} is no part of a name`, at };
  at = skipBlanks(text, at + 1);
  while (text[at] !== "}") {
    const begun = at;
    const quoted = text[at] === '"' ? readQuoted(text, at) : undefined;
    if (quoted !== undefined && "message" in quoted) return quoted;
    const label = quoted?.value ?? match(plainLabel, text, at);
    if (label === undefined)
      return { message: at < text.length ? "a label's name is expected" : "there is no `}`", at };
    at = skipBlanks(text, quoted?.end ?? at + label.length);
    if (text[at] !== "=") {
      if (quoted === undefined || metricName in record) return { message: `\`=\` is expected after ${label}`, at };
      record[metricName] = label;
    } else {
      at = skipBlanks(text, at + 1);
      const value = readQuoted(text, at);
      if ("message" in value) return value;
      if (label in record) return { message: `the label ${label} is there twice`, at: begun };
      record[label] = value.value;
      at = skipBlanks(text, value.end);
    }
    if (text[at] === ",") at = skipBlanks(text, at + 1);
    else if (text[at] !== "}") return { message: "`,` or `}` is expected", at };
  }
  if (skipBlanks(text, at + 1) !== text.length) return { message: "something stands after the `}`", at: at + 1 };
  if (!(metricName in record)) return { message: "there is no name", at: 0 };
  return labelsOf(record);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function skipBlanks(text: string, at: number): number {
  let next = at;
  while (text[next] === " " || text[next] === "\t") next++;
  return next;
}

function readQuoted(text: string, at: number): { readonly value: string; readonly end: number } | SeriesMistake {
  if (text[at] !== '"') return { message: '`"` is expected', at };
  let end = at + 1;
  let escaped = false;
  for (; end < text.length && text[end] !== '"'; end++) {
    if (text[end] !== "\\") continue;
    escaped = true;
    end++;
  }
  if (end >= text.length) return { message: 'there is no closing `"`', at };
  const raw = text.slice(at + 1, end);
  return { value: escaped ? unescapeText(raw) : raw, end: end + 1 };
}

/** `\n`, `\"` and `\\`; any other letter after a backslash stays as it is written, backslash and all. */
export function unescapeText(raw: string): string {
  return raw.replaceAll(/\\([\\"n])/g, (_all, letter: string) => (letter === "n" ? "\n" : letter));
}
