import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { parse } from "./parse.ts";
import { pretty, print } from "./print.ts";
import { anyQuery } from "./query.fake.ts";
import { quote, unquote } from "./quote.ts";

/** A tree without where it stood. */
function bare(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value) => {
      if (key === "span") return undefined;
      return typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
        ? `number ${value}${1 / value}`
        : value;
    }),
  );
}

describe("print", () => {
  it("writes what parse reads as the same tree", () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        const tree = parse(query);
        const line = print(tree);
        expect(line).not.toContain("\n");
        expect(bare(parse(line))).toEqual(bare(tree));
        expect(print(parse(line))).toBe(line);
        expect(bare(parse(pretty(tree)))).toEqual(bare(tree));
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ["SUM(rate(foo[5m]))BY(job)", "sum by (job) (rate(foo[5m]))"],
    ["sum by() (a)", "sum(a)"],
    ['foo{b="x",a=~"y"}', 'foo{a=~"y",b="x"}'],
    ['{__name__="foo", "a b"=\'c"\'}', '{"a b"="c\\"",__name__="foo"}'],
    ['{"foo.bar"}', '{__name__="foo.bar"}'],
    ["a offset -1h30m @ 1.5", "a @ 1.500 offset -1h30m"],
    ["a[90s:15] offset 1w", "a[1m30s:15s] offset 1w"],
    ["a * on(x)group_left b", "a * on (x) group_left () b"],
    ["a + fill (0) b", "a + fill (0) b"],
    ["a / on(x) fill_right(Inf) fill_left(-1) b", "a / on (x) fill_left (-1) fill_right (+Inf) b"],
    ["- 1 ^ 2", "-1 ^ 2"],
    ["0x1f + 1_000 + 5m + -Inf", "31 + 1000 + 5m + -Inf"],
    ["Inf ^ Inf + Inf", "Inf ^ +Inf + +Inf"],
    ["1e21 * 1e-7", "1000000000000000000000 * 0.0000001"],
    ["a AND b OR c", "a and b or c"],
  ])("writes %s as %s", (query, line) => {
    expect(print(parse(query))).toBe(line);
  });
});

describe("pretty", () => {
  it("leaves alone what fits a line", () => {
    expect(pretty(parse("sum(a)  by (b)"))).toBe("sum by (b) (a)");
  });

  it("breaks and indents what does not", () => {
    const metric = "a_metric_with_quite_a_long_name_that_fills_the_line_by_more_than_half";
    const query = `histogram_quantile(0.9, sum by (le) (rate(${metric}[5m]))) > bool on (job) group_left () (${metric} + ${metric})`;
    expect(pretty(parse(query))).toBe(
      [
        "  histogram_quantile(",
        "    0.9,",
        `    sum by (le) (rate(${metric}[5m]))`,
        "  )",
        "> bool on (job) group_left ()",
        "  (",
        `      ${metric}`,
        "    +",
        `      ${metric}`,
        "  )",
      ].join("\n"),
    );
  });
});

it("keeps a sign before a broken-up power where it was", () => {
  const tree = parse(`-Inf ^ (${"a_long_name_of_a_metric + ".repeat(5)} 1)`);
  expect(pretty(tree)).toMatch(/^-Inf\n\^\n/);
  expect(bare(parse(pretty(tree)))).toEqual(bare(tree));
});

describe("quote", () => {
  it("writes what unquote reads, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const quoted = quote(text);
        expect(quoted).toMatch(/^"[^\n]*"$/u);
        expect(unquote(quoted.slice(1, -1), '"')).toEqual({ kind: "text", value: text });
      }),
    );
  });

  it("keeps bytes that are no UTF-8 apart", () => {
    expect(unquote("a\\xc5z", '"')).toEqual({ kind: "text", value: "a\udcc5z" });
    expect(quote("a\udcc5z")).toBe('"a\\xc5z"');
    expect(unquote("\\xe2\\x82\\xac\\303\\251", '"')).toEqual({ kind: "text", value: "€é" });
  });
});
