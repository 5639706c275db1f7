import type { Span } from "./ast.ts";
import { readDuration } from "./duration.ts";
import { unquote } from "./quote.ts";
import type { Token } from "./token.ts";

const blank = /(?:[ \t\r\n]+|#[^\r\n]*)+/y;
const word = /[A-Za-z_:][A-Za-z0-9_:]*/y;
/** Between brackets a colon parts the range of a subquery from its step. */
const wordInBrackets = /[A-Za-z_][A-Za-z0-9_]*/y;
const number =
  /(?:0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)(?![0-9A-Za-z_])/y;
const duration = /(?:[0-9]+(?:ms|[smhdwy]))+(?![0-9A-Za-z_])/y;
const numberLike = /\.?[0-9][0-9A-Za-z_.]*/y;
const op = /==|=~|!=|!~|<=|>=|[-+*/%^<>=(){}[\],:@]/y;
const badUnderscore = /__|_$|_[.eE]|[.eE+-]_|_[+-]/;

/** Cuts a query into tokens; the last one is `end`, unless an `error` ends it before. */
export function lex(query: string): Token[] {
  const tokens: Token[] = [];
  let inBrackets = false;
  let at = 0;
  for (;;) {
    at += matchAt(blank, query, at).length;
    const token =
      at === query.length ? ({ kind: "end", text: "", start: at, end: at } as const) : lexOne(query, at, inBrackets);
    tokens.push(token);
    if (token.kind === "end" || token.kind === "error") return tokens;
    if (token.kind === "op" && token.text === "[") inBrackets = true;
    if (token.kind === "op" && token.text === "]") inBrackets = false;
    at = token.end;
  }
}

function lexOne(query: string, start: number, inBrackets: boolean): Token {
  const char = query[start] as string;
  if (char === '"' || char === "'" || char === "`") return lexString(query, start, char);
  const name = matchAt(inBrackets ? wordInBrackets : word, query, start);
  if (name !== "") return { kind: "word", text: name, start, end: start + name.length };
  if (matchAt(numberLike, query, start) !== "") return lexNumber(query, start);
  const sign = matchAt(op, query, start);
  if (sign !== "") return { kind: "op", text: sign, start, end: start + sign.length };
  return lexStray(query, start);
}

/** Characters that begin nothing, and what people mean by them. */
const strays: readonly (readonly [pattern: RegExp, words: string, hint: string])[] = [
  [/!/, "`!` stands for nothing alone", "Write != or !~, or `unless`."],
  [/[&|]/, "`$` is no operator", "Write `and`, `or`, `unless`."],
  [/~/, "`~` stands for nothing alone", "Write =~ or !~ for a regular expression."],
  [/;/, "`;` is not used", "A query is one expression: leave the semicolon out."],
  [/[“”„‘’«»]/, "$ is not a quote that is understood", "Write \"straight\", 'single' or `back` quotes."],
  [
    /\$/,
    "`$` is not expected anywhere",
    "Variables such as $__interval are Grafana's, which fills them in: write a value.",
  ],
  [/\./, "`.` stands only in numbers and between quotes", 'A name with a dot stands in braces: {"a.name"}.'],
  [/\p{L}/u, "`$` is not expected anywhere", 'A name with such letters stands in braces: {"ä name"}.'],
];

function lexStray(query: string, start: number): Token {
  const char = String.fromCodePoint(query.codePointAt(start) as number);
  const span = { start, end: start + char.length };
  const [, words = "`$` is not expected anywhere", hint] = strays.find(([pattern]) => pattern.test(char)) ?? [];
  return broken(
    query,
    span,
    words.replace("$", () => char),
    hint,
  );
}

function lexString(query: string, start: number, quote: string): Token {
  let end = start + 1;
  while (end < query.length && query[end] !== quote && (quote === "`" || query[end] !== "\n")) {
    end += quote !== "`" && query[end] === "\\" ? 2 : 1;
  }
  if (query[end] !== quote) {
    const span = { start, end: Math.min(end, query.length) };
    const hint =
      quote === "`" ? "Close it with a backtick." : `Close it with ${quote} on the same line; a line break is \\n.`;
    return broken(query, span, "this string is not closed", hint);
  }
  const span = { start, end: end + 1 };
  const body = query.slice(start + 1, end);
  const read = quote === "`" && body.isWellFormed() ? { kind: "text" as const, value: body } : unquote(body, quote);
  if (read.kind === "text")
    return { kind: "string", text: query.slice(span.start, span.end), value: read.value, ...span };
  const from = start + 1 + read.index;
  return broken(query, { start: from, end: Math.min(from + read.length, query.length) }, read.words, read.hint);
}

function lexNumber(query: string, start: number): Token {
  const text = matchAt(number, query, start);
  if (text !== "") return numberToken(query, start, text);
  const time = matchAt(duration, query, start);
  if (time !== "") {
    const span = { start, end: start + time.length };
    const read = readDuration(time);
    if (read.kind === "bad") return broken(query, span, read.words, read.hint);
    return { kind: "duration", text: time, value: read.ms, ...span };
  }
  const like = matchAt(numberLike, query, start);
  const hint = "A number is such as 10, 1.5, 1e3 or 0x1f; a duration such as 5m, 1h30m or 500ms.";
  return broken(query, { start, end: start + like.length }, `${like} is neither a number nor a duration`, hint);
}

function numberToken(query: string, start: number, text: string): Token {
  const span = { start, end: start + text.length };
  const spaced = /^0[xX]_/.test(text) ? text.slice(3) : text;
  if (badUnderscore.test(spaced)) {
    return broken(query, span, `${text} is no number`, "An underscore stands between two digits, as in 1_000.");
  }
  const plain = text.replaceAll("_", "");
  const value = /^0[0-7]+$/.test(plain) ? Number.parseInt(plain, 8) : Number(plain);
  if (Number.isFinite(value)) return { kind: "number", text, value, ...span };
  return broken(query, span, `${text} is too great for a number`, "Write Inf for infinity.");
}

function broken(query: string, span: Span, words: string, hint?: string): Token {
  const { start, end } = span;
  return { kind: "error", text: query.slice(start, end), words, hint, start, end };
}

/** What a sticky pattern matches at an index; "" for nothing. */
function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}
