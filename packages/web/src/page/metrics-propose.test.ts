import { complete } from "@fed/fed/engine/promql/complete.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { coloured, mistakeOf, refusalOf } from "./metrics-colour.ts";
import { choose, examplesOf, type KnownNames, propose } from "./metrics-propose.ts";

const known: KnownNames = {
  metrics: ["http_requests_total", "node_cpu_seconds_total", "up_since", "up", "odd.name"],
  labels: ["__name__", "job", "odd label"],
  values: ["api", 'a "b"'],
  about: { up: "Whether it answers." },
};

function at(marked: string) {
  const cursor = marked.indexOf("|");
  const text = marked.replace("|", "");
  const completion = complete(text, cursor);
  const proposals = propose(completion, known, text.slice(cursor));
  return { text, completion, proposals, texts: proposals.map((one) => one.text) };
}

/** What becomes of the text when this is chosen; `|` is the cursor. */
function chosen(marked: string, wanted: string): string | undefined {
  const { text, completion, proposals } = at(marked);
  const proposal = proposals.find((one) => one.text === wanted);
  if (proposal === undefined) return undefined;
  const { text: after, cursor } = choose(text, completion, proposal);
  return `${after.slice(0, cursor)}|${after.slice(cursor)}`;
}

test.each([
  ["ra|", "rate", "rate(|"],
  ["ra|(up)", "rate", "rate|(up)"],
  ["sum(cpu|)", "node_cpu_seconds_total", "sum(node_cpu_seconds_total|)"],
  ["od|", "odd.name", '{"odd.name"}|'],
  ["up{j|}", "job", "up{job|}"],
  ["up{o|}", "odd label", 'up{"odd label"|}'],
  ["up{job=|", "api", 'up{job="api"|'],
  ['up{job="|', "api", 'up{job="api"|'],
  ['up{job="x|"}', "api", undefined],
  ['up{job="a|"}', 'a "b"', 'up{job="a \\"b\\"|"}'],
  ["up[5|", "5m", "up[5m|"],
  ["up |", "offset", "up offset|"],
] as const)("%s and %s become %s", (marked, wanted, after) => expect(chosen(marked, wanted)).toBe(after));

test("what begins so comes first, then what has a word so, then what holds the letters in order", () => {
  expect(at("htt|").texts[0]).toBe("http_requests_total");
  expect(at("cpu|").texts[0]).toBe("node_cpu_seconds_total");
  expect(at("hrt|").texts).toContain("http_requests_total");
  expect(at("sum|").texts[0]).toBe("sum");
  expect(at("up{|}").texts).not.toContain("__name__");
  expect(at("zzzz|").texts).toEqual([]);
  expect(at("up|").proposals[0]).toMatchObject({ kind: "metric", about: "Whether it answers." });
});

test("the examples are of metrics that are there", () => {
  expect(examplesOf(["up", "a_total", "b_bucket", "c"]).map(({ query }) => query)).toEqual([
    "up",
    "rate(a_total[5m])",
    "c",
  ]);
  expect(examplesOf([])).toEqual([]);
  const many = examplesOf(Array.from({ length: 50 }, (_, index) => `m${index}`));
  expect(many).toHaveLength(5);
});

test("the pieces of any text are the text, in order, whatever is wrong with it", () => {
  const span = fc.option(fc.record({ start: fc.nat(60), end: fc.nat(60) }), { nil: undefined });
  const text = fc.oneof(fc.string({ maxLength: 60 }), fc.constantFrom("sum by (a) (up) # note\n+ 1", 'up{a="b'));
  fc.assert(
    fc.property(text, span, (query, problem) => {
      const pieces = coloured(query, problem);
      expect(pieces.map((piece) => piece.text).join("")).toBe(query);
      let end = 0;
      for (const piece of pieces) {
        expect(piece.start).toBe(end);
        end += piece.text.length;
      }
    }),
  );
});

test("words have the colour of what they are", () => {
  const kinds = coloured('sum by (job) (rate(up{on="x"}[5m])) # all').flatMap(({ text, kind }) =>
    text.trim() === "" ? [] : [`${text.trim()} ${kind}`],
  );
  expect(kinds).toEqual(
    expect.arrayContaining([
      "sum function",
      "by keyword",
      "rate function",
      "up metric",
      "on plain",
      '"x" string',
      "5m number",
    ]),
  );
  expect(kinds.at(-1)).toBe("# all comment");
});

test("a mistake is told with its place, a bad expression by the hub alone", () => {
  expect(mistakeOf("rate(up)")).toMatchObject({ start: 5, end: 7, line: 1, column: 6 });
  expect(mistakeOf("  ")).toBeUndefined();
  expect(mistakeOf("up")).toBeUndefined();
  const refused = (text: string, message: string) => refusalOf(text, { message, hint: undefined });
  const told = { start: 4, end: 6, line: 2, column: 1, words: "no: 5:6: x", hint: undefined };
  expect(refused("a +\nbb", 'invalid parameter "query": 2:1: parse error: no: 5:6: x')).toEqual(told);
  expect(refused("up", "the hub is away")).toBeUndefined();
  expect(refused("up", "9:9: not there")).toBeUndefined();
});
