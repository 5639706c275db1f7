import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explain, explainTree } from "./explain.ts";
import { parse } from "./parse.ts";
import { anyQuery } from "./query.fake.ts";

describe("explain", () => {
  it("says a query in words, part by part", () => {
    const query =
      'sum by (job) (rate(hits{code=~"5..", env!=""}[5m] offset 1h)) / on (job) group_left () (up @ end() > 2)';
    expect(
      explain(parse(query))
        .split("\n")
        .map((line) => line.trimEnd()),
    ).toEqual([
      "/ on (job) group_left ()                       instant vector  left divided by right, matched by job, many series on the left to one",
      "  sum by (job)                                 instant vector  the sum of the values, for each job",
      "    rate()                                     instant vector  how fast a counter grows per second over the range, resets left out",
      '      hits{code=~"5..",env!=""}[5m] offset 1h  range vector    the samples of 5m of each series of hits whose code matches "5.." and env is there, 1h earlier',
      "  >                                            instant vector  left where it is greater than right",
      "    up @ end()                                 instant vector  the newest value of each series of up, at the end of the query",
      "    2                                          scalar          a number",
    ]);
  });

  it.each([
    ["sum without (a) (b)", "the sum of the values, of series that differ only in a"],
    ["max(b)", "the greatest value, of all series together"],
    ["b[1h:5m] @ 1.5", "what is below, computed every 5m over 1h, at 1970-01-01T00:00:01.500Z"],
    ["1 < b", "right where left is less than right"],
    ["a == bool b", "1 where left is equal to right, 0 elsewhere, matched by all labels"],
    ["a + ignoring (x) fill_right (0) b", "left plus right, matched by all labels but x, 0 for a missing right"],
    ["-(5m)", "each value with the other sign"],
    ["5m", "300 seconds"],
  ])("says of %s: %s", (query, words) => {
    expect(explainTree(parse(query)).words).toBe(words);
  });

  it("has words for any query, each part within the text", () => {
    const check = (one: ReturnType<typeof explainTree>, length: number): void => {
      expect(one.words).not.toBe("");
      expect(one.span.end).toBeLessThanOrEqual(length);
      for (const part of one.parts) check(part, length);
    };
    fc.assert(
      fc.property(anyQuery, (query) => check(explainTree(parse(query)), query.length)),
      { numRuns: 200 },
    );
  });
});
