import fc from "fast-check";
import { expect, test } from "vitest";
import { type MetricsView, searchOf, viewOf } from "./metrics-address.ts";
import { between, spans, steps } from "./metrics-range.ts";
import { readSearch, tabs } from "./metrics-search.ts";

const view: fc.Arbitrary<MetricsView> = fc.record({
  rows: fc.array(fc.record({ text: fc.string(), hidden: fc.boolean() }), { minLength: 1, maxLength: 8 }),
  span: fc.oneof(
    fc.constantFrom(...spans).map(({ ms }) => ({ kind: "last", ms }) as const),
    fc.tuple(fc.nat(2e9), fc.integer({ min: 10, max: 1e7 })).map(([from, s]) => between(from * 1e3, (from + s) * 1e3)),
  ),
  stepMs: fc.option(fc.constantFrom(...steps), { nil: undefined }),
  live: fc.boolean(),
  tab: fc.constantFrom(...tabs),
  stacked: fc.boolean(),
});

test("what an address says is what was shown", () => {
  fc.assert(
    fc.property(view, (shown) => {
      const written = JSON.parse(JSON.stringify(searchOf(shown))) as Record<string, unknown>;
      expect(viewOf(readSearch(written))).toEqual(shown);
    }),
  );
});

test("a new page has one empty query, the last hour, and an address without anything", () => {
  const fresh = viewOf({});
  expect(fresh).toMatchObject({
    rows: [{ text: "", hidden: false }],
    span: { kind: "last", ms: 3_600_000 },
    tab: "chart",
  });
  expect(searchOf(fresh)).toEqual({});
});

test("any address is understood as far as it can be", () => {
  fc.assert(fc.property(fc.object(), (search) => void viewOf(readSearch(search))));
  const odd = { q: ["up", 5, null, {}], range: "5x", from: "x", to: 3, step: "0s", tab: "pie", off: "Z", live: "yes" };
  expect(readSearch(odd)).toEqual({ q: ["up", "5"], step: "0s" });
  expect(viewOf(readSearch(odd)).stepMs).toBeUndefined();
  expect(readSearch({ q: "up" })).toEqual({ q: ["up"] });
  expect(viewOf(readSearch({ from: 20, to: 10 })).span).toEqual({ kind: "last", ms: 3_600_000 });
  expect(readSearch({ q: Array.from({ length: 20 }, () => "up") }).q).toHaveLength(8);
});
