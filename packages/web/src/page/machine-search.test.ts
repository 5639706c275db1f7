import { expect, test } from "vitest";
import { readMachineSearch, spanSearch } from "./machine-search.ts";

test("of an address that anybody may have written, what can be understood", () => {
  expect(readMachineSearch({ tab: "units", last: 360, from: "x", evil: 1 })).toEqual({ tab: "units", last: 360 });
  expect(readMachineSearch({ tab: "charts", last: 60 })).toEqual({});
  expect(readMachineSearch({ tab: "<b>", last: -1, from: 9, to: 3 })).toEqual({});
});

test("another stretch of time takes the place of the one before, the tab stays", () => {
  expect(spanSearch({ tab: "units", from: 1, to: 2 }, { kind: "last", ms: 300_000 })).toEqual({
    tab: "units",
    last: 5,
  });
  expect(spanSearch({ last: 5 }, { kind: "between", startMs: 1_000, endMs: 61_000 })).toEqual({ from: 1, to: 61 });
});
