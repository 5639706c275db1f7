import { describe, expect, test } from "vitest";
import { checkName, checkPasswords } from "./settings-check.ts";

describe("a new password", () => {
  const typed = (next: string, again = next, current = "the old one") => checkPasswords({ current, next, again });

  test("is ready when it is long enough, another one, and typed twice", () => {
    expect(typed("a longer one")).toEqual({ next: undefined, again: undefined, ready: true });
  });
  test("is not blamed while it is empty", () => {
    expect(typed("")).toEqual({ next: undefined, again: undefined, ready: false });
  });
  test("says how long it must be", () => {
    expect(typed("short")).toMatchObject({ next: "a password has at least 10 characters", ready: false });
  });
  test("is not the old one", () => {
    expect(typed("the old one")).toMatchObject({ next: expect.stringMatching(/you have/), ready: false });
  });
  test("must be typed the same twice", () => {
    expect(typed("a longer one", "a longer")).toMatchObject({ again: "the two are not the same", ready: false });
    expect(typed("a longer one", "")).toMatchObject({ again: undefined, ready: false });
  });
  test("needs the current one", () => {
    expect(typed("a longer one", "a longer one", "").ready).toBe(false);
  });
});

test.each([
  ["", undefined],
  ["bob", undefined],
  ["no spaces", /letters, digits/],
  ["ADA", /of that name/],
])("the name %j for a new user", (name, wrong) => {
  if (wrong === undefined) expect(checkName(name, ["ada"])).toBeUndefined();
  else expect(checkName(name, ["ada"])).toMatch(wrong);
});
