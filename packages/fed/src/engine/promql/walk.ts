import { unreachable } from "#base/unreachable.ts";
import { argumentsOf, type Expr } from "./ast.ts";

/** The expressions right below one, in the order in which they are written. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "number":
    case "string":
    case "vector":
      return [];
    case "matrix":
      return [expr.selector];
    case "subquery":
    case "unary":
    case "paren":
      return [expr.expr];
    case "aggregation":
      return argumentsOf(expr);
    case "call":
      return expr.args;
    case "binary":
      return [expr.left, expr.right];
    default:
      return unreachable(expr);
  }
}

/** An expression and all that are in it, from the outside in. */
export function* walk(expr: Expr): Generator<Expr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* walk(child);
}
