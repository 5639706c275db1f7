import { aggregators } from "./ast.ts";
import { lookAt, type Place, type Spot } from "./complete-place.ts";
import { functions, isFunctionName, printSignature, signatureOf } from "./function.ts";
import { aggregationWords, functionWords } from "./function-words.ts";
import { lex } from "./lex.ts";
import type { Token } from "./token.ts";

/** What can be written at a place of a query that is being typed. */
export interface Completion {
  /** What a choice takes the place of, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** What stands between `start` and the cursor. */
  readonly typed: string;
  /** In the order in which people look for it; empty where nothing can be proposed. */
  readonly wants: readonly Want[];
}

export type Want =
  | { readonly kind: "metric" }
  /** `selector`: the series whose labels are meant, such as `up{job="a"}`; unknown when it is not there. */
  | { readonly kind: "label"; readonly selector?: string }
  /** `quoted`: the cursor is inside of the quotes already. */
  | { readonly kind: "value"; readonly label: string; readonly selector?: string; readonly quoted: boolean }
  | { readonly kind: "words"; readonly words: readonly Word[] };

export interface Word {
  readonly kind: "function" | "aggregation" | "keyword" | "operator" | "duration";
  readonly text: string;
  /** In a line. */
  readonly about: string;
}

const nothing = { typed: "", wants: [] } as const;

/** What is expected at the cursor. Never throws, whatever the text is. */
export function complete(query: string, cursor: number): Completion {
  const at = Math.max(0, Math.min(query.length, Math.trunc(cursor) || 0));
  const none: Completion = { start: at, end: at, ...nothing };
  const tokens = lex(query.slice(0, at)).filter(({ kind }) => kind !== "end");
  const last = tokens.at(-1);
  if (isInComment(query, last?.end ?? 0, at)) return none;
  if (last?.kind === "error") return /["'`]/.test(last.text.charAt(0)) ? inString(query, at, tokens, last) : none;
  const typing = last !== undefined && last.end === at && last.kind !== "op" && last.kind !== "string";
  const spot = lookAt(typing ? tokens.slice(0, -1) : tokens);
  const start = typing ? last.start : at;
  const end = at + (/^[A-Za-z0-9_:]*/.exec(query.slice(at))?.[0].length ?? 0);
  const typed = query.slice(start, at);
  if (/^[\d.]/.test(typed) && spot.place !== "duration" && spot.place !== "offset") return none;
  return { start, end, typed, wants: wantsOf(spot, typed, query.slice(end)) };
}

/** A `#` behind the last token begins a comment that lasts to the end of its line. */
function isInComment(query: string, from: number, at: number): boolean {
  const gap = query.slice(from, at);
  return gap.lastIndexOf("#") > gap.lastIndexOf("\n");
}

/** The string that holds the cursor is not closed before it. */
function inString(query: string, at: number, tokens: readonly Token[], open: Token): Completion {
  const spot = lookAt(tokens.slice(0, -1));
  const start = open.start + 1;
  if (spot.place !== "value") return { start: at, end: at, ...nothing };
  const quote = query.charAt(open.start);
  const rest = query.slice(at);
  const close = rest.search(quote === "`" ? /`/ : new RegExp(`(?<!\\\\)${quote}|\\n|[,}]`));
  const end = close >= 0 && rest[close] === quote ? at + close : at;
  return { start, end, typed: query.slice(start, at), wants: [wantedValue(spot, true)] };
}

const wantedValue = ({ label, selector }: Spot, quoted: boolean): Want => ({
  ...{ kind: "value", label, quoted },
  ...(selector !== undefined && { selector }),
});

function wantsOf(spot: Spot, typed: string, rest: string): readonly Want[] {
  const words = wordsOf(spot, typed);
  const own: readonly Want[] = words.length > 0 ? [{ kind: "words", words }] : [];
  switch (spot.place) {
    case "operand":
      return spot.takes === "vector" || spot.takes === "matrix" ? [{ kind: "metric" }, ...own] : own;
    case "matcher":
    case "label": {
      const selector = spot.selector ?? (spot.aheadOfArguments ? nextMetric(rest) : undefined);
      return [{ kind: "label", ...(selector !== undefined && { selector }) }];
    }
    case "value":
      return [wantedValue(spot, false)];
    default:
      return own;
  }
}

/** `sum by (…) (rate(THIS[5m]))`: the metric that comes first behind the cursor. */
function nextMetric(rest: string): string | undefined {
  const tokens = lex(rest);
  const known = (text: string) =>
    isFunctionName(text) || (aggregators as readonly string[]).includes(text.toLowerCase());
  const open = tokens.findIndex(({ kind, text }) => kind === "op" && text === ")");
  if (open < 0) return undefined;
  return tokens.slice(open).find(({ kind, text }) => kind === "word" && !known(text))?.text;
}

const wordsByPlace: Partial<Record<Place, readonly Word[]>> = {
  aggregator: keywords({ by: "keep these labels apart", without: "add up over these labels" }),
  sign: operators({
    "=": "the label is this",
    "!=": "the label is not this",
    "=~": "the label matches this regular expression, as a whole",
    "!~": "the label does not match this regular expression",
  }),
  at: keywords({ "start()": "the beginning of what is shown", "end()": "the end of what is shown" }),
};

const setWords = keywords({
  and: "the left, where the right has the same labels",
  or: "the left, and what only the right has",
  unless: "the left, where the right has not the same labels",
  atan2: "the angle between two values, in radians",
});
const moveWords = [
  ...keywords({ offset: "so long before" }),
  ...operators({ "@": "at a fixed moment: seconds since 1970, start() or end()" }),
];
const matchWords = keywords({ on: "match by these labels only", ignoring: "match by all labels but these" });
const groupWords = keywords({
  group_left: "many on the left match one on the right",
  group_right: "many on the right match one on the left",
});
const boolWord = keywords({ bool: "0 and 1, instead of leaving out" });

function keywords(words: Readonly<Record<string, string>>): readonly Word[] {
  return Object.entries(words).map(([text, about]) => ({ kind: "keyword", text, about }));
}

function operators(words: Readonly<Record<string, string>>): readonly Word[] {
  return Object.entries(words).map(([text, about]) => ({ kind: "operator", text, about }));
}

/** What most queries are made of comes first. */
const mostUsed = ["rate", "increase", "histogram_quantile", "avg_over_time", "max_over_time"] as const;
const functionNames = [...new Set([...mostUsed, ...Object.keys(functions)])].filter(isFunctionName);
const functionList: readonly Word[] = functionNames.map((text) => ({
  ...{ kind: "function", text },
  about: `${printSignature(text)}: ${functionWords[text]}`,
}));
const scalarFunctions = functionList.filter(
  ({ text }) => isFunctionName(text) && signatureOf(text).result === "scalar",
);
const aggregationList: readonly Word[] = aggregators.map((text) => ({
  ...{ kind: "aggregation", text },
  about: aggregationWords[text],
}));

function wordsOf(spot: Spot, typed: string): readonly Word[] {
  switch (spot.place) {
    case "operand":
      return [...operandWords(spot), ...modifierWords(spot)];
    case "operator":
      return [
        ...(spot.aggregated ? (wordsByPlace.aggregator ?? []) : []),
        ...(spot.selected ? moveWords : []),
        ...setWords,
      ];
    case "duration":
    case "offset":
      return durations(typed);
    default:
      return wordsByPlace[spot.place] ?? [];
  }
}

function operandWords({ takes }: Spot): readonly Word[] {
  if (takes === "vector") return [...aggregationList, ...functionList];
  return takes === "scalar" ? scalarFunctions : [];
}

function modifierWords({ modifiers }: Spot): readonly Word[] {
  if (modifiers === "group") return groupWords;
  if (modifiers === "none" || modifiers === "fill") return [];
  return modifiers === "comparison" ? [...boolWord, ...matchWords] : matchWords;
}

const units = { s: "seconds", m: "minutes", h: "hours", d: "days", w: "weeks" } as const;
const usualDurations = ["1m", "5m", "15m", "30m", "1h", "6h", "1d", "7d", "30d"] as const;

/** The usual ones; with a number begun, that number in each unit. */
function durations(typed: string): readonly Word[] {
  const count = /^\d+/.exec(typed)?.[0];
  const texts = count === undefined ? usualDurations : Object.keys(units).map((unit) => count + unit);
  return texts.map((text) => ({ kind: "duration", text, about: `${text.slice(0, -1)} ${unitWord(text)}` }));
}

function unitWord(text: string): string {
  const word = units[text.slice(-1) as keyof typeof units];
  return text.slice(0, -1) === "1" ? word.slice(0, -1) : word;
}
