import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quoteWord, quoteWords } from "./quote.ts";

describe("quoteWord", () => {
  it.each([
    ["uptime", "uptime"],
    ["--color=never", "--color=never"],
    ["/etc/a-b_c.d:e", "/etc/a-b_c.d:e"],
    ["A=b", "'A=b'"],
    ["", "''"],
    ["a b", "'a b'"],
    ["it's", `'it'\\''s'`],
    ["$(reboot)", "'$(reboot)'"],
    ["~root", "'~root'"],
    ["a\nb", "'a\nb'"],
  ])("%j is written %s", (word, quoted) => {
    expect(quoteWord(word)).toBe(quoted);
  });

  it("refuses NUL", () => {
    expect(() => quoteWord("a\0b")).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  it("is read back by a shell as it was, whatever the words", () => {
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."'\"\\$`!*?~#&|;<>(){}[] \t\n=-a") }),
    );
    const words = fc.array(
      word.filter((text) => !text.includes("\0") && text.isWellFormed()),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(words, (list) => {
        const script = `for word in ${quoteWords(list)}; do printf '%s\\0' "$word"; done`;
        expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(list.map((one) => `${one}\0`).join(""));
      }),
      { numRuns: 100 },
    );
  });
});
