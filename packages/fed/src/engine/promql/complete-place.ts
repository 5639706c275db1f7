import { aggregators, type ValueType } from "./ast.ts";
import { isFunctionName, signatureOf } from "./function.ts";
import { quote } from "./quote.ts";
import type { Token } from "./token.ts";

/** What stands next when a query has been read so far. `lost`: what was read is no beginning of a query. */
export type Place =
  | "operand"
  | "operator"
  /** Behind `sum`, `rate`: a parenthesis, or words of an aggregation. */
  | "aggregator"
  | "function"
  /** Behind `sum by (job)`: the parenthesis of what is summed. */
  | "arguments"
  /** Behind `fill`, and within its parentheses. */
  | "fill"
  | "filling"
  /** Behind `by`, `on`: the parenthesis of labels, then a label, then a comma. */
  | "labels"
  | "label"
  | "labelNext"
  /** Within braces: a label, its sign, its value, a comma. */
  | "matcher"
  | "sign"
  | "value"
  | "matcherNext"
  /** Within brackets, and behind `offset` and `@`. */
  | "duration"
  | "durationNext"
  | "offset"
  | "at"
  | "lost";

/** A place and what is known of it. */
export interface Spot {
  readonly place: Place;
  /** Of an operand: what the function around it takes. */
  readonly takes: ValueType;
  /** Of an operand: what may come before it, behind a binary operator. */
  readonly modifiers: "none" | "any" | "comparison" | "group" | "fill";
  /** Of an operator: `by` may follow; `offset` may. */
  readonly aggregated: boolean;
  readonly selected: boolean;
  /** Of a value. */
  readonly label: string;
  /** Of a label and a value: what selects the series that are meant. */
  readonly selector: string | undefined;
  /** Of a label: what it is about comes later. */
  readonly aheadOfArguments: boolean;
}

interface Frame {
  readonly kind: "paren" | "call" | "labels" | "brace" | "bracket";
  /** Of a call, in small letters. */
  readonly name: string;
  readonly grouped: boolean;
  /** Where a list of labels leads to. */
  readonly next: Place;
  /** Commas so far. */
  argument: number;
}

interface Walk {
  place: Place;
  readonly frames: Frame[];
  modifiers: Spot["modifiers"];
  aggregated: boolean;
  selected: boolean;
  /** The last word of a metric, function or aggregation. */
  name: string;
  /** Where the list of labels that is next leads to. */
  after: Place;
  label: string;
  sign: string;
  /** The selector that is being read or was read last. */
  metric: string;
  conditions: string[];
}

/** Reads tokens and says what stands next. */
export function lookAt(tokens: readonly Token[]): Spot {
  const walk: Walk = {
    ...{ place: "operand", frames: [], modifiers: "none", aggregated: false, selected: false },
    ...{ name: "", after: "operand", label: "", sign: "", metric: "", conditions: [] },
  };
  for (const token of tokens) steps[walk.place](walk, token);
  const { place, modifiers, aggregated, selected, label } = walk;
  const aheadOfArguments = walk.frames.at(-1)?.next === "arguments";
  const known = place === "label" && aheadOfArguments ? undefined : selectorOf(walk);
  return {
    place,
    takes: typeOfOperand(walk),
    modifiers,
    aggregated,
    selected,
    label,
    selector: known,
    aheadOfArguments,
  };
}

function selectorOf({ metric, conditions }: Walk): string | undefined {
  if (conditions.length > 0) return `${metric}{${conditions.join(",")}}`;
  return metric === "" ? undefined : metric;
}

function typeOfOperand({ frames }: Walk): ValueType {
  const frame = frames.at(-1);
  if (frame?.kind !== "call") return "vector";
  if (/^(topk|bottomk|quantile)$/.test(frame.name)) return frame.argument === 0 ? "scalar" : "vector";
  if (frame.name === "count_values") return frame.argument === 0 ? "string" : "vector";
  if (!isFunctionName(frame.name)) return "vector";
  const { args, last } = signatureOf(frame.name);
  return args[frame.argument] ?? (last === "repeated" ? args.at(-1) : undefined) ?? "scalar";
}

type Step = (walk: Walk, token: Token) => void;

const steps: Readonly<Record<Place, Step>> = {
  operand: stepOperand,
  operator: stepOperator,
  aggregator: stepAggregator,
  function(walk, token) {
    if (isOp(token, "(")) open(walk, "call", "operand");
    else again(walk, token, "operator");
  },
  arguments(walk, token) {
    if (isOp(token, "(")) open(walk, "call", "operand", { grouped: true });
    else walk.place = "lost";
  },
  fill(walk, token) {
    if (isOp(token, "(")) walk.place = "filling";
    else again(walk, token, "operator");
  },
  filling(walk, token) {
    if (!isOp(token, ")")) return;
    walk.modifiers = "fill";
    walk.place = "operand";
  },
  labels(walk, token) {
    if (isOp(token, "(")) open(walk, "labels", "label", { next: walk.after });
    else if (walk.modifiers === "fill" && walk.after === "operand") again(walk, token, "operand");
    else walk.place = "lost";
  },
  label(walk, token) {
    if (isName(token)) walk.place = "labelNext";
    else if (isOp(token, ")")) closeLabels(walk);
    else walk.place = "lost";
  },
  labelNext(walk, token) {
    if (isOp(token, ",")) walk.place = "label";
    else if (isOp(token, ")")) closeLabels(walk);
    else walk.place = "lost";
  },
  matcher(walk, token) {
    if (isName(token)) {
      walk.label = token.kind === "string" ? token.value : token.text;
      walk.place = "sign";
    } else closeBraces(walk, token);
  },
  sign(walk, token) {
    if (token.kind === "op" && /^(=|!=|=~|!~)$/.test(token.text)) {
      walk.sign = token.text;
      walk.place = "value";
    } else if (isOp(token, ",")) walk.place = "matcher";
    else closeBraces(walk, token);
  },
  value(walk, token) {
    if (token.kind !== "string") walk.place = "lost";
    else {
      // Other conditions alone would select every series there is.
      const narrows = walk.metric !== "" || (walk.sign === "=" && token.value !== "");
      if (narrows) walk.conditions.push(`${labelText(walk.label)}${walk.sign}${quote(token.value)}`);
      walk.place = "matcherNext";
    }
  },
  matcherNext(walk, token) {
    if (isOp(token, ",")) walk.place = "matcher";
    else closeBraces(walk, token);
  },
  duration(walk, token) {
    if (isLength(token)) walk.place = "durationNext";
    else closeBracket(walk, token);
  },
  durationNext(walk, token) {
    if (isOp(token, ":")) walk.place = "duration";
    else closeBracket(walk, token);
  },
  offset(walk, token) {
    if (isLength(token)) endOperand(walk, { selected: true });
    else if (!isOp(token, "-") && !isOp(token, "+")) walk.place = "lost";
  },
  at(walk, token) {
    if (isLength(token) || isOp(token, ")")) endOperand(walk, { selected: true });
    else if (token.kind !== "word" && !isOp(token, "(") && !isOp(token, "-")) walk.place = "lost";
  },
  lost() {},
};

function stepOperand(walk: Walk, token: Token): void {
  if (token.kind === "word") stepWord(walk, token);
  else if (isLength(token) || token.kind === "string") endOperand(walk, {});
  else if (isOp(token, "(")) open(walk, "paren", "operand");
  else if (isOp(token, "{")) openBraces(walk, "");
  else if (isOp(token, ")")) closeParen(walk);
  else if (!isOp(token, "+") && !isOp(token, "-")) walk.place = "lost";
}

function stepWord(walk: Walk, token: Token): void {
  const lower = token.text.toLowerCase();
  const { modifiers } = walk;
  walk.modifiers = "none";
  walk.name = token.text;
  if (lower === "bool" && modifiers === "comparison") walk.modifiers = "any";
  else if (/^(on|ignoring)$/.test(lower) && modifiers !== "none") {
    walk.modifiers = "group";
    leadTo(walk, "operand");
  } else if (/^group_(left|right)$/.test(lower) && modifiers === "group") {
    walk.modifiers = "fill";
    leadTo(walk, "operand");
  } else if (/^fill(_left|_right)?$/.test(lower) && modifiers !== "none") walk.place = "fill";
  else if ((aggregators as readonly string[]).includes(lower)) walk.place = "aggregator";
  else if (isFunctionName(token.text)) walk.place = "function";
  else if (/^(inf|nan)$/.test(lower)) endOperand(walk, {});
  else endMetric(walk);
}

function stepAggregator(walk: Walk, token: Token): void {
  if (isOp(token, "(")) open(walk, "call", "operand");
  else if (token.kind === "word" && /^(by|without)$/i.test(token.text)) leadTo(walk, "arguments");
  else again(walk, token, "operator");
}

function stepOperator(walk: Walk, token: Token): void {
  const { aggregated, selected } = walk;
  const word = token.kind === "word" ? token.text.toLowerCase() : "";
  if (isOp(token, "{") && selected) openBraces(walk, walk.name);
  else if (isOp(token, "[")) open(walk, "bracket", "duration");
  else if (isOp(token, ")")) closeParen(walk);
  else if (word === "offset") walk.place = "offset";
  else if (isOp(token, "@")) walk.place = "at";
  else if (aggregated && /^(by|without)$/.test(word)) leadTo(walk, "operator");
  else if (isOp(token, ",") && walk.frames.at(-1)?.kind === "call") {
    (walk.frames.at(-1) as Frame).argument++;
    walk.modifiers = "none";
    walk.place = "operand";
  } else stepBinary(walk, token, word);
}

function stepBinary(walk: Walk, token: Token, word: string): void {
  const comparison = token.kind === "op" && /^([<>]=?|[=!]=)$/.test(token.text);
  const binary =
    comparison || (token.kind === "op" && /^[-+*/%^]$/.test(token.text)) || /^(and|or|unless|atan2)$/.test(word);
  walk.modifiers = comparison ? "comparison" : "any";
  walk.place = binary ? "operand" : "lost";
}

function open(walk: Walk, kind: Frame["kind"], place: Place, more: Partial<Frame> = {}): void {
  walk.frames.push({
    kind,
    name: kind === "call" ? walk.name.toLowerCase() : "",
    grouped: false,
    next: "operator",
    argument: 0,
    ...more,
  });
  if (kind !== "labels") walk.modifiers = "none";
  walk.place = place;
}

function openBraces(walk: Walk, metric: string): void {
  walk.metric = metric;
  walk.conditions = [];
  open(walk, "brace", "matcher");
}

function closeBraces(walk: Walk, token: Token): void {
  if (!isOp(token, "}") || walk.frames.pop()?.kind !== "brace") walk.place = "lost";
  else endOperand(walk, { selected: true });
  // A second pair of braces would not belong to it.
  walk.name = "";
}

function closeBracket(walk: Walk, token: Token): void {
  if (!isOp(token, "]") || walk.frames.pop()?.kind !== "bracket") walk.place = "lost";
  else endOperand(walk, { selected: true });
}

function closeLabels(walk: Walk): void {
  const frame = walk.frames.pop();
  if (frame?.next === "operator") endOperand(walk, {});
  else walk.place = frame?.next ?? "lost";
}

function closeParen(walk: Walk): void {
  const frame = walk.frames.pop();
  if (frame?.kind !== "paren" && frame?.kind !== "call") {
    walk.place = "lost";
    return;
  }
  const aggregated = frame.kind === "call" && !frame.grouped && (aggregators as readonly string[]).includes(frame.name);
  endOperand(walk, { aggregated });
}

/** Labels between parentheses come next, then this. */
function leadTo(walk: Walk, after: Place): void {
  walk.after = after;
  walk.place = "labels";
}

function endMetric(walk: Walk): void {
  walk.metric = walk.name;
  walk.conditions = [];
  endOperand(walk, { selected: true });
}

function endOperand(
  walk: Walk,
  { aggregated = false, selected = false }: Partial<Pick<Walk, "aggregated" | "selected">>,
) {
  Object.assign(walk, { place: "operator", aggregated, selected, modifiers: "none" });
}

/** What was a name of something is a metric's after all. */
function again(walk: Walk, token: Token, place: Place): void {
  if (place === "operator") endMetric(walk);
  else walk.place = place;
  steps[walk.place](walk, token);
}

const isOp = (token: Token, text: string): boolean => token.kind === "op" && token.text === text;
const isName = ({ kind }: Token): boolean => kind === "word" || kind === "string";
const isLength = ({ kind }: Token): boolean => kind === "number" || kind === "duration";
const labelText = (name: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quote(name));
