import fc from "fast-check";
import { expect, test } from "vitest";
import { complete, type Want } from "./complete.ts";
import { anyQuery } from "./query.fake.ts";

/** What is wanted at `|`, in short: `metric`, `label of up`, `value of job of up`, or some of the words. */
function wantedAt(marked: string): readonly string[] {
  const cursor = marked.indexOf("|");
  return complete(marked.replace("|", ""), cursor).wants.flatMap(inShort);
}

function inShort(want: Want): readonly string[] {
  switch (want.kind) {
    case "metric":
      return ["metric"];
    case "label":
      return [`label of ${want.selector ?? "any"}`];
    case "value":
      return [`value of ${want.label} of ${want.selector ?? "any"}${want.quoted ? ", quoted" : ""}`];
    case "words":
      return want.words.map(({ text }) => text);
  }
}

test.each([
  ["|", ["metric", "rate", "sum"], ["offset", "by", "on"]],
  ["ra|", ["metric", "rate", "sum"], []],
  ["up |", ["and", "offset", "@"], ["metric", "by", "rate"]],
  ["up[5m] |", ["offset", "and"], ["metric"]],
  ["sum |", ["by", "without"], ["metric", "offset"]],
  ["sum(up) |", ["by", "without", "and"], ["offset", "metric"]],
  ["sum by (job) (up) |", ["and"], ["by", "offset"]],
  ["sum(|", ["metric", "rate", "sum"], ["by"]],
  ["rate(|", ["metric"], ["rate", "sum"]],
  ["topk(|", ["scalar", "time"], ["metric", "rate"]],
  ["topk(3, |", ["metric", "rate"], []],
  ["up + |", ["metric", "rate", "on", "ignoring"], ["bool", "group_left"]],
  ["up > |", ["metric", "bool", "on"], []],
  ["up > bool |", ["metric", "on"], ["bool"]],
  ["up * on (job) |", ["metric", "group_left"], ["on", "bool"]],
  ["up * on (job) group_left (a) |", ["metric"], ["group_left", "on"]],
  ["up * on (job) group_left |", [], ["metric"]],
  ["up offset |", ["5m", "1h"], ["metric"]],
  ["up offset -|", ["5m"], []],
  ["up @ |", ["start()", "end()"], ["metric"]],
  ["up[|", ["5m"], []],
  ["up[12|", ["12s", "12m", "12h"], ["5m"]],
  ["up[5m:|", ["1m"], []],
  ["up{job|", ["label of up"], []],
  ["up{|}", ["label of up"], []],
  ['up{job="a",|}', ['label of up{job="a"}'], []],
  ["{|}", ["label of any"], []],
  ['{job="a",|', ['label of {job="a"}'], []],
  ['{job!="a",|', ["label of any"], []],
  ["up{job |", ["=", "!=", "=~", "!~"], []],
  ["up{job=|", ["value of job of up"], []],
  ['up{job="|', ["value of job of up, quoted"], []],
  ['up{job="a|"}', ["value of job of up, quoted"], []],
  ['up{a="b",job=~"|', ['value of job of up{a="b"}, quoted'], []],
  ["sum by (|", ["label of any"], []],
  ["sum by (|) (rate(up[5m]))", ["label of up"], []],
  ["sum(rate(up[5m])) by (job, |", ["label of up"], []],
  ["a + on (|", ["label of a"], []],
] as const)("%s", (marked, wanted, not) => {
  const found = wantedAt(marked);
  expect(found).toEqual(expect.arrayContaining([...wanted]));
  for (const one of not) expect(found).not.toContain(one);
});

test.each(["up # a note |", "1|", "1.|", 'label_replace(up, "|', "up ) |", "$x |", "sum by (job) |", "up{a=5 |"])(
  "%s: nothing can be proposed",
  (marked) => expect(wantedAt(marked)).toEqual([]),
);

test("a choice takes the place of the whole word, or of all between the quotes", () => {
  const at = (marked: string) => {
    const { start, end, typed } = complete(marked.replace("|", ""), marked.indexOf("|"));
    return { text: marked.replace("|", "").slice(start, end), typed };
  };
  expect(at("sum(node_c|pu)")).toEqual({ text: "node_cpu", typed: "node_c" });
  expect(at('up{job="no|de"}')).toEqual({ text: "node", typed: "no" });
  expect(at('up{job="no|} + up{job="x"}')).toEqual({ text: "no", typed: "no" });
  expect(at("up[5|m]")).toEqual({ text: "5m", typed: "5" });
  expect(at("up |")).toEqual({ text: "", typed: "" });
});

test("a beginning of any query, or any text, is answered; what would be replaced holds the cursor", () => {
  const texts = fc.oneof(anyQuery, fc.string(), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(texts, fc.nat(200), (text, at) => {
      const cursor = Math.min(at, text.length);
      const { start, end, typed } = complete(text, cursor);
      expect(start <= cursor && cursor <= end && end <= text.length).toBe(true);
      expect(text.slice(start, cursor)).toBe(typed);
    }),
    { numRuns: 500 },
  );
  for (const odd of [-1, Number.NaN, 1e9]) expect(() => complete("up", odd)).not.toThrow();
});

test("behind any query that can be read an operator is proposed", () => {
  fc.assert(
    fc.property(anyQuery, (text) => {
      const { wants } = complete(`${text} `, text.length + 1);
      // A comment hides the end; a metric that is called like an aggregation or a modifier may still become one.
      if (/#/.test(text) || /\b(sum|fill)\s*$/.test(text)) return;
      expect(wants.flatMap(inShort)).toContain("and");
    }),
    { numRuns: 500 },
  );
});
