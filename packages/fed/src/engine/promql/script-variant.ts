import type { Expr, VectorSelector } from "./ast.ts";
import { walk } from "./walk.ts";

/** Functions whose value depends on when they are evaluated, whatever `@` stands behind their arguments. */
const timely: ReadonlySet<string> = new Set([
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "days_in_month",
  "hour",
  "minute",
  "month",
  "predict_linear",
  "time",
  "timestamp",
  "year",
]);

/**
 * A query that is pinned to a moment by `@`, so that it must yield the same whenever it is evaluated; undefined when no
 * `@` can pin it.
 */
export function pinned(expr: Expr, atMs: number): Expr | undefined {
  for (const one of walk(expr)) if (one.kind === "call" && timely.has(one.func)) return undefined;
  return pin(expr, atMs);
}

function pin(expr: Expr, atMs: number): Expr {
  switch (expr.kind) {
    case "vector":
      return pinSelector(expr, atMs);
    case "matrix":
      return { ...expr, selector: pinSelector(expr.selector, atMs) };
    case "subquery":
      return { ...expr, at: expr.at ?? { kind: "time", atMs } };
    case "aggregation": {
      const param = expr.param && pin(expr.param, atMs);
      return { ...expr, expr: pin(expr.expr, atMs), ...(param && { param }) };
    }
    case "call":
      return { ...expr, args: expr.args.map((arg) => pin(arg, atMs)) };
    case "binary":
      return { ...expr, left: pin(expr.left, atMs), right: pin(expr.right, atMs) };
    case "unary":
    case "paren":
      return { ...expr, expr: pin(expr.expr, atMs) };
    default:
      return expr;
  }
}

function pinSelector(selector: VectorSelector, atMs: number): VectorSelector {
  return { ...selector, at: selector.at ?? { kind: "time", atMs } };
}
