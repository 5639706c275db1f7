import { Fault } from "#base/fault.ts";
import type { MetricNote } from "#engine/exposition/text.ts";
import { ownText } from "#engine/exposition/text-memory.ts";
import { typeNames } from "#engine/promql/function.ts";
import { parse, parseSelector } from "#engine/promql/parse.ts";
import { typeOf } from "#engine/promql/type.ts";
import type { Matcher } from "#engine/series/matcher.ts";

/** What Prometheus' API says of times and selectors, read with its words for what is wrong. */

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Range extends Span {
  readonly stepMs: number;
}

/** Steps of one answer: more than a screen has columns. */
const mostPoints = 11_000;
/** The furthest moments that a Date can tell. */
const furthestMs = 8.64e15;

/** Seconds since the epoch, or RFC 3339. */
export function readMoment(name: string, text: string): number {
  const ms = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Math.round(Number(text) * 1_000) : readDate(text);
  if (Math.abs(ms) <= furthestMs) return ms;
  throw bad(
    name,
    `cannot parse ${JSON.stringify(text)} to a valid timestamp`,
    "Write seconds since 1970, or RFC 3339.",
  );
}

function readDate(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
}

const unitsMs: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 },
};

/** Seconds, or a duration such as `1m30s`, in milliseconds. */
export function readLength(name: string, text: string): number {
  if (/^(\d+\.?\d*|\.\d+)$/.test(text)) return Math.round(Number(text) * 1_000);
  if (/^(\d+(ms|[ywdhms]))+$/.test(text)) {
    return [...text.matchAll(/(\d+)(ms|[ywdhms])/g)].reduce(
      (sum, [, count, unit = ""]) => sum + Number(count) * (unitsMs[unit] ?? 0),
      0,
    );
  }
  throw bad(name, `cannot parse ${JSON.stringify(text)} to a valid duration`, "Write seconds, or such as 1m30s.");
}

export function readRange(start: string, end: string, step: string): Range {
  const range = {
    startMs: readMoment("start", start),
    endMs: readMoment("end", end),
    stepMs: readLength("step", step),
  };
  if (range.endMs < range.startMs) throw bad("end", "end timestamp must not be before start time");
  if (range.stepMs <= 0) {
    throw bad("step", "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if ((range.endMs - range.startMs) / range.stepMs > mostPoints) {
    throw new Fault(
      "invalid",
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return range;
}

/** Without a start or an end: all there is. */
export function readSpan(start: string | undefined, end: string | undefined, nowMs: number): Span {
  // The clock of who sends may be ahead of ours.
  const span = {
    startMs: start === undefined ? 0 : readMoment("start", start),
    endMs: end === undefined ? nowMs + 3_600_000 : readMoment("end", end),
  };
  if (span.endMs < span.startMs) throw bad("end", "end timestamp must not be before start time");
  return span;
}

/** Each selector of `match[]`; a series counts that fulfils one of them. */
export function readSelectors(given: string | readonly string[] | undefined): readonly (readonly Matcher[])[] {
  return [given ?? []].flat().map((text) => parsed("match[]", () => parseSelector(text)));
}

/** Fault `invalid` in Prometheus' words: what is wrong with the text is wrong with the request. */
export function parseQuery(text: string, overRange = false): ReturnType<typeof parse> {
  const expr = parsed("query", () => parse(text));
  const type = typeOf(expr);
  if (!overRange || type === "vector" || type === "scalar") return expr;
  throw bad("query", `invalid expression type "${typeNames[type]}" for range query, must be Scalar or instant Vector`);
}

function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "invalid")) throw thrown;
    throw bad(name, thrown.message.replace(/^\d+:\d+: /, "$&parse error: "), thrown.hint);
  }
}

export function bad(name: string, words: string, hint?: string): Fault {
  return new Fault("invalid", `invalid parameter ${JSON.stringify(name)}: ${words}`, { hint });
}

const longestName = 256;
const longestText = 1_000;

/** What is kept of what a metric says of itself, without the text it came in; nothing when no sample could have such a name. */
export function shortNote({ about, metric, text }: MetricNote): MetricNote | undefined {
  if (metric.length > longestName) return undefined;
  return { about, metric: ownText(metric), text: ownText(text.slice(0, longestText)) };
}

/** A label's name as it is, of what stands for one in a path: `U__http_2e_method` is `http.method`. */
export function unescapeName(name: string): string {
  if (!name.startsWith("U__")) return name;
  return name.slice(3).replaceAll(/__|_([0-9a-f]{1,6})_/gi, (all, code: string | undefined) => {
    if (code === undefined) return "_";
    const point = Number.parseInt(code, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}
