import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "#base/fault.ts";
import { maxHeight } from "./cursor.ts";
import { parse } from "./parse.ts";
import { excerpt, problemOf } from "./problem.ts";
import { anyQuery } from "./query.fake.ts";

function faultOf(query: string): Fault {
  try {
    parse(query);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error(`this was understood: ${query}`);
}

/** Each: the query, the part that is wrong, what is said of it, and a part of the hint. */
const errors: [query: string, part: string, words: string, hint?: string][] = [
  ["", "", "the query is empty"],
  [" # nothing", " # nothing", "the query is empty"],
  ["a +", "", "expected an expression, found the end of the query", "breaks off"],
  ["a + )", ")", "expected an expression, found `)`"],
  ["()", ")", "expected an expression, found `)`"],
  ["a b", "b", "expected an operator or the end of the query, found `b`", "an operator is missing"],
  ["a))", ")", "no `(` is open that this `)` would close"],
  ["(a", "", "expected an operator or `)`, found the end of the query", "The `(` at 1:1 is not closed."],
  ["sum(\n  a", "", "expected an operator, `,` or `)`, found the end of the query", "The `(` at 1:4 is not closed."],
  ["a = 1", "=", "expected an operator or the end of the query, found `=`", "Write == to compare"],
  ['a =~ "b"', "=~", "expected an operator or the end of the query, found `=~`", "inside { }"],
  ["a by (b)", "by", "expected an operator or the end of the query, found `by`", "sum by (job) (up)"],
  ["a & b", "&", "`&` is no operator", "`and`"],
  ["a ! b", "!", "`!` stands for nothing alone"],
  ["a;", ";", "`;` is not used"],
  ["“a”", "“", "“ is not a quote that is understood"],
  ["héllo", "é", "`é` is not expected anywhere", "in braces"],
  ["foo.bar", ".", "`.` stands only in numbers and between quotes", '{"a.name"}'],
  ["rate(a[$__rate_interval])", "$", "`$` is not expected anywhere", "Grafana"],
  // Numbers, durations, strings.
  ["1__0", "1__0", "1__0 is no number"],
  ["1_", "1_", "1_ is no number"],
  ["0x", "0x", "0x is neither a number nor a duration"],
  ["5x", "5x", "5x is neither a number nor a duration"],
  ["1e999", "1e999", "1e999 is too great for a number"],
  ["a[5m1h]", "5m1h", "the units of 5m1h are out of order"],
  ["a[5m5m]", "5m5m", "the unit m stands twice in 5m5m"],
  ["a[300y]", "300y", "300y is too long a time"],
  ["a[1e20]", "1e20", "1e20 is too long a time"],
  ['a{b="c}', '"c}', "this string is not closed"],
  ["`a", "`a", "this string is not closed"],
  ['"a\nb"', '"a', "this string is not closed"],
  ['"a\\qb"', "\\q", "\\q is no escape", "backticks"],
  ['"\\x4"', "\\x", "too few digits after \\x"],
  ['"\\400"', "\\400", "\\400 is more than a byte"],
  ['"\\ud800"', "\\ud800", "\\ud800 is no Unicode character"],
  ["'\\\"'", '\\"', '\\" is no escape'],
  // Selectors.
  ["{}", "{}", "this selects every series there is"],
  ['{a=""}', '{a=""}', "this selects every series there is"],
  ['{a=~".*"}', '{a=~".*"}', "this selects every series there is", ".+"],
  ["a{b}", "}", "expected =, !=, =~ or !~ after the label b, found `}`"],
  ["a{b=c}", "c", "expected a value between quotes, found `c`", 'b="c"'],
  ['a{b=="c"}', "==", "expected =, !=, =~ or !~ after the label b, found `==`", "single ="],
  ["a{b>1}", ">", "expected =, !=, =~ or !~ after the label b, found `>`", "texts"],
  ["a{,}", ",", "expected the name of a label or `}`, found `,`"],
  ['a{b="c" d="e"}', "d", "expected `,` or `}` after a condition on a label, found `d`"],
  ['a{b="c"', "", "expected `,` or `}` after a condition on a label, found the end of the query", "not closed"],
  ['a{b:c="d"}', "b:c", "b:c is no name of a label"],
  ['a{b=~"("}', '"("', "error parsing regexp: missing closing ): `(`", "RE2"],
  ['a{__name__="b"}', 'a{__name__="b"}', "the metric is named twice: a and b", "a|b"],
  ['{"a", "b"}', '"b"', "the metric is named twice"],
  ['{""="b"}', '""', "the name of a label is empty"],
  ["on", "on", "expected an expression, found `on`", '{__name__="on"}'],
  // Ranges, offsets, moments.
  ["a[5m", "", "expected `]` or `:` after the length of the range, found the end of the query"],
  ["a[]", "]", "expected the length of a range, found `]`"],
  ['a["5m"]', '"5m"', 'expected the length of a range, found the string "5m"'],
  ["a[0s]", "0s", "this must be longer than nothing"],
  ["a[5m:0]", "0", "this must be longer than nothing"],
  ["a[5m + 1m]", "+", "a duration that is computed is experimental and not understood here"],
  ["sum(a)[5m]", "[5m]", "a range stands behind a selector only, this is what sum yields, an instant vector", "[5m:]"],
  ["a[5m][5m]", "[5m]", "a range stands behind a selector only, this is a range vector"],
  ["a offset 1m[5m]", "[5m]", "`offset` cannot stand before a range"],
  ["a @ 1[5m]", "[5m]", "`@` cannot stand before a range"],
  ["a[5m][5m:]", "a[5m]", "a subquery is of an instant vector, this is a range vector"],
  ["1[5m:]", "1", "a subquery is of an instant vector, this is a scalar", "vector(…)"],
  ["a offset", "", "expected a duration after `offset`, found the end of the query"],
  ["a offset 1m offset 2m", "offset", "`offset` stands twice"],
  [
    "sum(a) offset 1m",
    "offset",
    "`offset` stands behind a selector or a subquery only, this is what sum yields, an instant vector",
  ],
  ["a @ b", "b", "expected a time after `@`, found `b`"],
  ["a @ 1 @ 2", "@", "`@` stands twice"],
  ["a @ start", "", "expected `(` after `start`, found the end of the query", "start()"],
  ["a @ Inf", "Inf", "Inf is no time"],
  ["a[5m] smoothed", "smoothed", "`smoothed` is experimental and not understood here"],
  // Calls and aggregations.
  ["rte(a[5m])", "rte", "there is no function rte()", "Did you mean rate?"],
  ["RATE(a[5m])", "RATE", "there is no function RATE()", "Did you mean rate?"],
  ["sort_by_label(a)", "sort_by_label", "sort_by_label() is experimental in Prometheus and not understood here"],
  ["limitk by (b) (1, a)", "limitk", "limitk() is experimental in Prometheus and not understood here"],
  ["rate()", "rate()", "rate() takes 1 argument, this has 0", "rate(range vector)"],
  ["round(a, 1, 2)", "2", "round() takes 1 or 2 arguments, this has 3", "round(instant vector, [scalar])"],
  ['label_join(a, "b")', 'label_join(a, "b")', "label_join() takes at least 3 arguments, this has 2"],
  ["rate(a)", "a", "argument 1 of rate() must be a range vector, this is an instant vector", "[5m]"],
  ["rate(sum(a))", "sum(a)", "argument 1 of rate() must be a range vector, this is an instant vector", "(…)[5m:]"],
  ["abs(a[5m])", "a[5m]", "argument 1 of abs() must be an instant vector, this is a range vector"],
  ["vector(a)", "a", "argument 1 of vector() must be a scalar, this is an instant vector", "scalar(…)"],
  ["abs(1)", "1", "argument 1 of abs() must be an instant vector, this is a scalar", "vector(…)"],
  ["abs(a,)", ",", "nothing comes after this comma"],
  ["sum()", "sum()", "sum takes 1 argument, this has 0"],
  ["topk(a)", "topk(a)", "topk takes 2 arguments, this has 1", "topk(scalar, instant vector)"],
  ["sum(a, b)", "b", "sum takes 1 argument, this has 2"],
  ["topk(a, b)", "a", "the parameter of topk must be a scalar, this is an instant vector"],
  ["count_values(1, a)", "1", "the parameter of count_values must be a string, this is a scalar"],
  ["sum(1)", "1", "sum must be an instant vector, this is a scalar"],
  ["sum by (a) (b) by (c)", "by", "sum says twice what to group by"],
  ["sum by a (b)", "a", "expected `(` after `by`, found `a`", "by (job, instance)"],
  ["sum by (a b) (c)", "b", "expected `,` or `)` among the labels of `by`, found `b`"],
  ["sum by (a:b) (c)", "a:b", "a:b is no name of a label"],
  ["sum by (1) (c)", "1", "expected the name of a label, found the number 1"],
  ["sum by (a)", "", "expected `(` after the labels, found the end of the query"],
  // Operators.
  ["1 == 1", "==", "two scalars are compared by `bool` only", "== bool"],
  ["a + bool b", "bool", "`bool` is for comparisons only, `+` is none"],
  ["a and 1", "1", "`and` stands between instant vectors only"],
  ['a + "b"', '"b"', "`+` is for scalars and instant vectors, this is a string"],
  ["a[5m] * 2", "a[5m]", "`*` is for scalars and instant vectors, this is a range vector", "rate()"],
  ['-"a"', '"a"', "`-` is for a scalar or an instant vector, this is a string"],
  ["-a[5m]", "a[5m]", "`-` is for a scalar or an instant vector, this is a range vector"],
  ["a + on(b) 1", "on", "`on` is for two instant vectors only, one side is a scalar"],
  ["a + fill(0) 1", "fill", "`fill` is for two instant vectors only, one side is a scalar"],
  ["a + group_left b", "group_left", "`group_left` needs `on` or `ignoring` before it"],
  ["a and on(b) group_left c", "group_left", "`group_left` has no meaning with `and`"],
  ["a or fill(0) b", "fill", "`fill` has no meaning with `or`"],
  ["a + on(b) group_left(b) c", "group_left", "the label b is in `on` and in `group_left`"],
  [
    "a + on(b) group_left (c + d)",
    "+",
    "expected `,` or `)` among the labels of `group_left`, found `+`",
    "group_left () (…)",
  ],
  ["a > on(b) bool c", "bool", "`bool` stands once, right behind the operator"],
  ["a + on(b) ignoring(c) d", "ignoring", "`on` or `ignoring` stands once, before `group_left` and `fill`"],
  ["a + fill(b) c", "b", "expected a number to fill in, found `b`"],
  ["a + fill(0) fill_left(1) b", "fill_left", "`fill_left` says again what is filled in"],
];

describe("a query that is wrong", () => {
  it.each(errors)("%s", (query, part, words, hint) => {
    const fault = faultOf(query);
    const problem = problemOf(fault);
    expect(fault.code).toBe("invalid");
    expect(problem).toMatchObject({ words });
    expect(query.slice(problem?.start, problem?.end)).toBe(part);
    expect(fault.message).toBe(`${problem?.line}:${problem?.column}: ${words}`);
    if (hint !== undefined) expect(fault.hint).toContain(hint);
  });

  it("has its place and an excerpt", () => {
    const query = "sum(\n\trate(foo[5m)\n)";
    const problem = problemOf(faultOf(query));
    expect(problem).toMatchObject({ line: 2, column: 13, start: 17, end: 18 });
    expect(problem && excerpt(query, problem)).toBe("\trate(foo[5m)\n\t           ^");
  });

  it("says what is left out by choice", () => {
    for (const query of ["limitk(1, a)", "a[1m+1m]", "a offset (1m)", "a[5m::1m]", "a[1m] anchored"]) {
      expect(problemOf(faultOf(query))?.leftOut).toBe("experimental");
    }
    expect(problemOf(faultOf("a </ 5"))?.leftOut).toBe("native histograms");
    expect(problemOf(faultOf("a["))?.leftOut).toBeUndefined();
  });
});

describe("a hostile query", () => {
  it.each([
    ["parentheses", "(".repeat(50_000)],
    ["closed parentheses", `${"(".repeat(40_000)}a${")".repeat(40_000)}`],
    ["signs", `${"-".repeat(90_000)}a`],
    ["powers", `${"2^".repeat(40_000)}2`],
    ["a long chain", `a${" or a".repeat(15_000)}`],
    ["calls", `${"abs(".repeat(20_000)}a`],
    ["aggregations", `${"sum by (a) (".repeat(8_000)}a`],
    ["subqueries", `a${"[1m:]".repeat(15_000)}`],
    ["chains in parentheses", `${"(".repeat(100)}a${` or a${" or a".repeat(100)})`.repeat(100)}`],
    ["length", "a".repeat(100_001)],
  ])("of %s is refused and overflows nothing", (_, query) => {
    expect(faultOf(query).code).toBe("invalid");
  });

  it("as deep as may be is understood", () => {
    const depth = maxHeight - 1;
    expect(parse(`${"(".repeat(depth)}a${")".repeat(depth)}`).kind).toBe("paren");
    expect(parse(`a${" or a".repeat(depth)}`).kind).toBe("binary");
    expect(faultOf(`a${" or a".repeat(depth + 1)}`).message).toContain(`more than ${maxHeight} levels`);
  });

  it("of any text is understood or refused", () => {
    const pieces = fc.constantFrom(
      ..."( ) { } [ ] , : = =~ ! + - ^ @ # a sum by on 5m 1 0x 'a' \" ` \\ offset bool \n".split(" "),
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces).map((list) => list.join(" ")),
      broken(),
    );
    fc.assert(
      fc.property(text, (query) => {
        try {
          parse(query);
        } catch (thrown) {
          const problem = thrown instanceof Fault ? problemOf(thrown) : undefined;
          if (problem === undefined) throw thrown;
          expect(problem.start).toBeLessThanOrEqual(problem.end);
          expect(problem.end).toBeLessThanOrEqual(query.length);
          excerpt(query, problem);
        }
      }),
      { numRuns: 600 },
    );
  });
});

/** A good query with a piece cut out. */
function broken(): fc.Arbitrary<string> {
  return fc.tuple(anyQuery, fc.nat(), fc.nat(5)).map(([query, at, length]) => {
    const from = at % (query.length + 1);
    return query.slice(0, from) + query.slice(from + length);
  });
}
