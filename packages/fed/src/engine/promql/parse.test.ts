import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { parse } from "./parse.ts";

/** A tree with all its parentheses, to see what binds to what. */
function grouped(expr: Expr): string {
  if (expr.kind === "number") return `${expr.value}`;
  if (expr.kind === "vector") return expr.name ?? "{}";
  if (expr.kind === "unary") return `(${expr.op}${grouped(expr.expr)})`;
  if (expr.kind === "binary") return `(${grouped(expr.left)}${expr.op}${grouped(expr.right)})`;
  return expr.kind === "paren" ? grouped(expr.expr) : expr.kind;
}

describe("operators", () => {
  it.each([
    ["2^3^2", "(2^(3^2))"],
    ["-2^---1*3", "((-(2^-1))*3)"],
    ["2/-2^---1*3+2", "(((2/(-(2^-1)))*3)+2)"],
    ["-a*b", "((-a)*b)"],
    ["a-b-c", "((a-b)-c)"],
    ["a+b*c%d", "(a+((b*c)%d))"],
    ["a or b and c unless d", "(aor((bandc)unlessd))"],
    ["a == b + c or d", "((a==(b+c))ord)"],
    ["a atan2 b * c", "((aatan2b)*c)"],
    ["1./6.", "(1/6)"],
  ])("binds %s as %s", (query, expected) => {
    expect(grouped(parse(query))).toBe(expected);
  });
});
