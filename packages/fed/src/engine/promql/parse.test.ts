import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { parse, parseSelector } from "./parse.ts";
import { walk } from "./walk.ts";

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

describe("spans", () => {
  it("go from the first letter of a part to behind the last, with what belongs to it", () => {
    const query = "sum by (a) (rate(b{c='d'}[5m] @ 1 offset 1m)) + count_over_time(x[5m:1m] offset 2m)";
    const parts: string[] = [];
    for (const { span } of walk(parse(query))) parts.push(query.slice(span.start, span.end));
    expect(parts).toEqual([
      query,
      "sum by (a) (rate(b{c='d'}[5m] @ 1 offset 1m))",
      "rate(b{c='d'}[5m] @ 1 offset 1m)",
      "b{c='d'}[5m] @ 1 offset 1m",
      "b{c='d'}",
      "count_over_time(x[5m:1m] offset 2m)",
      "x[5m:1m] offset 2m",
      "x",
    ]);
  });

  it("of a sign, a binary operation and what is grouped at its end", () => {
    const query = " -a * ( b ) / sum ( c ) by ( d ) # end";
    const parts = [...walk(parse(query))].map(({ span }) => query.slice(span.start, span.end));
    expect(parts[0]).toBe("-a * ( b ) / sum ( c ) by ( d )");
    expect(parts.slice(1)).toEqual(["-a * ( b )", "-a", "a", "( b )", "b", "sum ( c ) by ( d )", "c"]);
  });
});

describe("parseSelector", () => {
  it("yields conditions in one order, the name first when it stands before the braces", () => {
    expect(parseSelector('up{job="a", env!=""}')).toEqual([
      { name: "__name__", kind: "=", value: "up" },
      { name: "env", kind: "!=", value: "" },
      { name: "job", kind: "=", value: "a" },
    ]);
  });

  it.each(["up offset 5m", "up @ 1", "up[5m]", "sum(up)", "1"])("refuses %s", (text) => {
    expect(() => parseSelector(text)).toThrow("1:1: this is more than a selector of series");
  });
});
