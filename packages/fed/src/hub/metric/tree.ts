import type { At, Expr, Matching, VectorSelector } from "#engine/promql/ast.ts";
import { isFunctionName, signatureOf } from "#engine/promql/function.ts";
import { metricName } from "#engine/series/labels.ts";

type Json = Readonly<Record<string, unknown>> | null;

/** A query as the tree that Prometheus' pages read. Source: Prometheus 3.5, web/api/v1/translate_ast.go. */
export function treeOf(expr: Expr | undefined): Json {
  if (expr === undefined) return null;
  switch (expr.kind) {
    case "number":
      return { type: "numberLiteral", val: plainNumber(expr.value) };
    case "string":
      return { type: "stringLiteral", val: expr.value };
    case "vector":
      return { type: "vectorSelector", ...selectorOf(expr) };
    case "matrix":
      return { type: "matrixSelector", ...selectorOf(expr.selector), range: expr.rangeMs };
    case "subquery": {
      const { rangeMs, stepMs, offsetMs } = expr;
      const inner = { type: "subquery", expr: treeOf(expr.expr) };
      return { ...inner, range: rangeMs, step: stepMs, offset: offsetMs, ...momentOf(expr.at) };
    }
    case "aggregation": {
      const { op, param, grouping } = expr;
      const inner = { type: "aggregation", op, expr: treeOf(expr.expr), param: treeOf(param) };
      return { ...inner, grouping: grouping.labels, without: grouping.kind === "without" };
    }
    case "call":
      return { type: "call", func: functionOf(expr.func), args: expr.args.map(treeOf) };
    case "binary": {
      const { op, left, right, matching, returnBool } = expr;
      const sides = { lhs: treeOf(left), rhs: treeOf(right) };
      return { type: "binaryExpr", op, ...sides, matching: matchingOf(matching), bool: returnBool };
    }
    case "unary":
      return { type: "unaryExpr", op: expr.op, expr: treeOf(expr.expr) };
    case "paren":
      return { type: "parenExpr", expr: treeOf(expr.expr) };
  }
}

function selectorOf({ name = "", matchers, offsetMs, at }: VectorSelector) {
  // The name before the braces comes last there.
  const own = name === "" ? [] : matchers.filter((one) => one.name === metricName).slice(0, 1);
  const conditions = [...matchers.filter((one) => !own.includes(one)), ...own].map((one) => ({
    name: one.name,
    value: one.value,
    type: one.kind,
  }));
  return { name, matchers: conditions, offset: offsetMs, ...momentOf(at) };
}

function momentOf(at: At | undefined) {
  return {
    timestamp: at?.kind === "time" ? at.atMs : null,
    startOrEnd: at === undefined || at.kind === "time" ? null : at.kind,
  };
}

function matchingOf(matching: Matching | undefined): Json {
  if (matching === undefined) return null;
  const { cardinality, labels, on, include } = matching;
  return { card: cardinality, labels, on, include };
}

function functionOf(name: string) {
  if (!isFunctionName(name)) throw new TypeError(`${name} is in a tree and no function`);
  const { args, last, result } = signatureOf(name);
  const variadic = last === undefined ? 0 : last === "optional" ? 1 : -1;
  return { name, argTypes: args, variadic, returnType: result };
}

/** All digits, without an exponent. */
function plainNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const text = Object.is(value, -0) ? "-0" : String(value);
  const [, sign = "", whole = "", part = "", power = ""] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (power === "") return text;
  const point = whole.length + Number(power);
  const digits = whole + part;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, "0");
}
