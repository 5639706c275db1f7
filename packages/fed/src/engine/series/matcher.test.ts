import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { labelsOf } from "./labels.ts";
import { compileMatcher, compileMatchers, onlyValues } from "./matcher.ts";
import { compilePattern } from "./pattern.ts";

const regex = (value: string) => compileMatcher({ name: "x", kind: "=~", value });

test("a matcher reads a missing label as empty", () => {
  const labels = labelsOf({ job: "api" });
  const holds = (name: string, kind: "=" | "!=" | "=~" | "!~", value: string) =>
    compileMatchers([{ name, kind, value }])(labels);
  expect(holds("job", "=", "api")).toBe(true);
  expect(holds("job", "!=", "api")).toBe(false);
  expect(holds("gone", "=", "")).toBe(true);
  expect(holds("gone", "!=", "x")).toBe(true);
  expect(holds("gone", "=~", ".*")).toBe(true);
  expect(holds("gone", "=~", ".+")).toBe(false);
  expect(holds("job", "!~", "ap.")).toBe(false);
});

test("an expression must match the whole value, and a dot matches a newline", () => {
  expect(regex("ap")("api")).toBe(false);
  expect(regex("a.c")("a\nc")).toBe(true);
  expect(regex("a.*")("a\nb")).toBe(true);
  expect(regex("a|bc")("abc")).toBe(false);
  expect(regex("(?i:PRO).*")("production")).toBe(true);
});

test("a bad expression is a fault in RE2's words", () => {
  try {
    regex("a(");
    expect.unreachable();
  } catch (thrown) {
    expect(isFault(thrown) && thrown.code).toBe("invalid");
    expect(isFault(thrown) && thrown.message).toBe("error parsing regexp: missing closing ): `a(`");
  }
});

test("the quick ways answer as RE2 does", () => {
  const parts = fc.constantFrom("a", "b", "ab", "\\.", "|", ".*", ".+", ".*?", "\n", "(a|b)", "-", "é", "\\-", "");
  const texts = fc.array(parts, { maxLength: 5 }).map((list) => list.join(""));
  const values = fc.array(fc.constantFrom("a", "b", ".", "\n", "-", "é", "|"), { maxLength: 6 }).map((l) => l.join(""));
  fc.assert(
    fc.property(texts, values, (text, value) => {
      expect(regex(text)(value)).toBe(RE2JS.compile(text, RE2JS.DOTALL).matches(value));
    }),
    { numRuns: 3000 },
  );
});

test("an index may look at the named values alone", () => {
  expect(onlyValues({ name: "x", kind: "=~", value: "a|b\\.c" })).toEqual(["a", "b.c"]);
  expect(onlyValues({ name: "x", kind: "=~", value: "(?:a|b)" })).toEqual(["a", "b"]);
  expect(onlyValues({ name: "x", kind: "=~", value: "a.*" })).toBeUndefined();
  expect(onlyValues({ name: "x", kind: "!=", value: "a" })).toBeUndefined();
});

test("a pattern tells its groups", () => {
  const pattern = compilePattern("(?P<first>[a-z]+)-([0-9]+)?");
  expect(pattern.groups("ab-12")).toEqual(["ab-12", "ab", "12"]);
  expect(pattern.groups("ab-")).toEqual(["ab-", "ab", undefined]);
  expect(pattern.groups("-")).toBeUndefined();
  expect(pattern.names).toEqual({ first: 1 });
});
