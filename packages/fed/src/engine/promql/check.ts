import {
  type Aggregation,
  type Binary,
  type BinaryOp,
  comparisonOps,
  type Expr,
  type Matching,
  type Span,
  setOps,
  type ValueType,
} from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { argumentCount, type FunctionName, printSignature, signatureOf, typeNames } from "./function.ts";
import type { Modifiers } from "./parse-matching.ts";
import { problemFault } from "./problem.ts";
import type { Token } from "./token.ts";
import { typeOf } from "./type.ts";

interface Named {
  /** The function's or the aggregation's name. */
  readonly name: Token;
  /** The whole call. */
  readonly span: Span;
}

/** Refuses arguments that are too few, too many or of the wrong type. */
export function checkCall(cursor: Cursor, func: FunctionName, args: readonly Expr[], { name, span }: Named): void {
  const signature = signatureOf(func);
  const { min, max } = argumentCount(signature);
  const hint = `It is ${printSignature(func)}.`;
  if (args.length < min || args.length > max) {
    const wanted = min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} or ${max}`;
    const words = `${func}() takes ${wanted} argument${wanted === "1" ? "" : "s"}, this has ${args.length}`;
    throw problemFault(cursor.query, args.length > max ? (args[max] as Expr).span : span, words, { hint });
  }
  for (const [i, arg] of args.entries()) {
    const wanted = signature.args[Math.min(i, signature.args.length - 1)] as ValueType;
    expectType(cursor, arg, wanted, `argument ${i + 1} of ${name.text}()`, hint);
  }
}

const withParam: Readonly<Record<string, ValueType>> = {
  topk: "scalar",
  bottomk: "scalar",
  quantile: "scalar",
  count_values: "string",
};

/** What is aggregated and the parameter, if the aggregation has one. */
export function checkAggregation(
  cursor: Cursor,
  op: Aggregation["op"],
  args: readonly Expr[],
  { span }: Named,
): { expr: Expr; param?: Expr } {
  const paramType = Object.hasOwn(withParam, op) ? withParam[op] : undefined;
  const wanted = paramType === undefined ? 1 : 2;
  const hint = `It is ${op}(${paramType === undefined ? "" : `${typeNames[paramType]}, `}instant vector).`;
  if (args.length !== wanted) {
    const words = `${op} takes ${wanted === 1 ? "1 argument" : "2 arguments"}, this has ${args.length}`;
    throw problemFault(cursor.query, (args[wanted] ?? { span }).span, words, { hint });
  }
  const [param, expr] = paramType === undefined ? [undefined, args[0]] : [args[0], args[1]];
  if (param !== undefined) expectType(cursor, param, paramType as ValueType, `the parameter of ${op}`, hint);
  expectType(cursor, expr as Expr, "vector", op, hint);
  return { expr: expr as Expr, ...(param && { param }) };
}

function expectType(cursor: Cursor, expr: Expr, wanted: ValueType, what: string, hint: string): void {
  const type = typeOf(expr);
  if (type === wanted) return;
  const words = `${what} must be ${withArticle(wanted)}, this is ${withArticle(type)}`;
  throw problemFault(cursor.query, expr.span, words, { hint: `${hint}${hintOfType(expr, type, wanted)}` });
}

function withArticle(type: ValueType): string {
  return `${type === "vector" ? "an" : "a"} ${typeNames[type]}`;
}

/** How to make the wanted type of what is there. */
function hintOfType(expr: Expr, type: ValueType, wanted: ValueType): string {
  if (type === "vector" && wanted === "matrix") {
    return expr.kind === "vector" ? " Add a range, as in [5m]." : " Make a subquery of it, as in (…)[5m:].";
  }
  if (type === "matrix" && wanted === "vector") return " Leave the range out, or use a function such as rate().";
  if (type === "scalar" && wanted === "vector") return " vector(…) makes an instant vector of a scalar.";
  return type === "vector" && wanted === "scalar" ? " scalar(…) makes a scalar of a vector of one series." : "";
}

export function checkUnary(cursor: Cursor, expr: Expr, sign: Token): void {
  const type = typeOf(expr);
  if (type === "scalar" || type === "vector") return;
  const words = `\`${sign.text}\` is for a scalar or an instant vector, this is ${withArticle(type)}`;
  throw problemFault(cursor.query, expr.span, words);
}

interface BinaryParts {
  readonly token: Token;
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
  readonly modifiers: Modifiers;
  readonly span: Span;
}

function includes<T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value);
}

/** The node of two operands, which must be scalars or instant vectors, with what its modifiers mean. */
export function checkBinary(cursor: Cursor, parts: BinaryParts): Binary {
  const { token, op, left, right, modifiers, span } = parts;
  const types = [left, right].map((side) => operandType(cursor, side, token));
  const comparison = includes(comparisonOps, op);
  if (modifiers.bool !== undefined && !comparison) {
    const words = `\`bool\` is for comparisons only, \`${token.text}\` is none`;
    throw problemFault(cursor.query, modifiers.bool, words);
  }
  const vectors = types.every((type) => type === "vector");
  if (includes(setOps, op) && !vectors) {
    const words = `\`${op}\` stands between instant vectors only`;
    const scalar = types[0] === "scalar" ? left : right;
    throw problemFault(cursor.query, scalar.span, words, { hint: "vector(…) makes an instant vector of a scalar." });
  }
  if (comparison && modifiers.bool === undefined && types.every((type) => type === "scalar")) {
    const hint = `Write ${op} bool: it yields 1 or 0.`;
    throw problemFault(cursor.query, token, "two scalars are compared by `bool` only", { hint });
  }
  const base = { kind: "binary", op, left, right, returnBool: modifiers.bool !== undefined, span } as const;
  if (vectors) return { ...base, matching: matchingOf(cursor, op, modifiers) };
  refuseModifiers(cursor, modifiers);
  return base;
}

function operandType(cursor: Cursor, expr: Expr, op: Token): ValueType {
  const type = typeOf(expr);
  if (type === "scalar" || type === "vector") return type;
  const words = `\`${op.text}\` is for scalars and instant vectors, this is ${withArticle(type)}`;
  const hint = type === "matrix" ? "Use a function of ranges, such as rate(), or leave the range out." : undefined;
  throw problemFault(cursor.query, expr.span, words, { hint });
}

function refuseModifiers(cursor: Cursor, { matching, group, fill }: Modifiers): void {
  const wrong = fill ?? group ?? (matching !== undefined && matching.labels.length > 0 ? matching : undefined);
  if (wrong === undefined) return;
  const words = `\`${wrong.token.text}\` is for two instant vectors only, one side is a scalar`;
  throw problemFault(cursor.query, wrong.token, words);
}

function matchingOf(cursor: Cursor, op: BinaryOp, { matching, group, fill }: Modifiers): Matching {
  const isSet = includes(setOps, op);
  const wrong = isSet ? (group ?? fill) : undefined;
  if (wrong !== undefined) {
    throw problemFault(cursor.query, wrong.token, `\`${wrong.token.text}\` has no meaning with \`${op}\``);
  }
  const twice = matching?.on ? group?.include.find((label) => matching.labels.includes(label)) : undefined;
  if (group !== undefined && twice !== undefined) {
    const words = `the label ${twice} is in \`on\` and in \`${group.token.text}\``;
    throw problemFault(cursor.query, group.token, words, { hint: "A label to match by is the same on both sides." });
  }
  const one = group === undefined ? "one-to-one" : group.side === "left" ? "many-to-one" : "one-to-many";
  const { left, right } = fill ?? {};
  return {
    cardinality: isSet ? "many-to-many" : one,
    on: matching?.on ?? false,
    labels: matching?.labels ?? [],
    include: group?.include ?? [],
    fill: { ...(left !== undefined && { left }), ...(right !== undefined && { right }) },
  };
}
