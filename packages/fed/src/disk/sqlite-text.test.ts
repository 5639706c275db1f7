import { describe, expect, it } from "vitest";
import { isIdle, parameterNames } from "./sqlite-text.ts";

describe("parameterNames", () => {
  it.each([
    ["SELECT :a, :b_2 WHERE x = :a", ["a", "b_2"]],
    ["SELECT ':no', 'it''s :no', :yes", ["yes"]],
    ['SELECT ":no", `:no`, [:no], :yes', ["yes"]],
    ["SELECT 1 -- :no\n, :yes", ["yes"]],
    ["SELECT /* :no\n */ :yes /* :open", ["yes"]],
    ["SELECT ?1, ?, @c, $d", ["?1", "?", "@c", "$d"]],
    ["SELECT strftime('%H:%M', 'now')", []],
    ["SELECT :größe", ["größe"]],
  ])("of %s", (text, names) => {
    expect(parameterNames(text)).toEqual(names);
  });
});

describe("isIdle", () => {
  it("knows blanks and comments from statements", () => {
    for (const text of ["", " \n;; ", "-- a; b", "/* a */ -- b\n;", "/* open"]) expect(isIdle(text)).toBe(true);
    for (const text of ["SELECT 1", "; SELECT", "/* a */ b", "-- a\nb"]) expect(isIdle(text)).toBe(false);
  });

  it("does not take long over a long text", () => {
    expect(isIdle(`${" ;/**/".repeat(20_000)}x`)).toBe(false);
  });
});
