import { unreachable } from "#base/unreachable.ts";
import type { Expr, ValueType } from "./ast.ts";
import { isFunctionName, signatureOf } from "./function.ts";

/** What a query yields when it is evaluated. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vector":
    case "aggregation":
      return "vector";
    case "matrix":
    case "subquery":
      return "matrix";
    case "call":
      return isFunctionName(expr.func) ? signatureOf(expr.func).result : "vector";
    case "binary":
      return expr.matching === undefined && typeOf(expr.left) === "scalar" && typeOf(expr.right) === "scalar"
        ? "scalar"
        : "vector";
    case "unary":
    case "paren":
      return typeOf(expr.expr);
    default:
      return unreachable(expr);
  }
}
