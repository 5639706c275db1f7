import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fit, jsonLine, visible, visibleInLine, widthOf } from "./text.ts";

describe("visible", () => {
  test.each([
    ["plain text\twith a tab\nand a line", "plain text\twith a tab\nand a line"],
    ["\x1b[31mred\x1b[0m", "red"],
    ["\x1b]0;new title\x07rest", "rest"],
    ["\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"],
    ["bell\x07", "bell\\x07"],
    ["over\rwritten", "over\\x0dwritten"],
    ["a\r\nb\r\n", "a\nb\n"],
    ["back\bspace\x7f", "back\\x08space\\x7f"],
    ["c1 \x9b2J \x9dtitle\x9c", "c1  \\x9dtitle\\x9c"],
    ["right\u202eto\u2066left", "right\\u202eto\\u2066left"],
    ["lines\u2028parted", "lines\\u2028parted"],
    ["Läb 実験室 👩‍🚀", "Läb 実験室 👩‍🚀"],
  ])("%j becomes %j", (hostile, shown) => expect(visible(hostile)).toBe(shown));

  test("leaves nothing that a terminal obeys, whatever comes", () => {
    const parts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\x1b", "[", "]", "31m", "\x07", "\x9b", "0;", "\r"),
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (words) => {
        const text = visible(words.join(""));
        for (const character of text) {
          const code = character.codePointAt(0) ?? 0;
          expect(code === 9 || code === 10 || (code >= 32 && !(code >= 127 && code < 160))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("in a line, newlines and tabs are spaces", () => expect(visibleInLine("a\n\tb\nc")).toBe("a b c"));
});

test("jsonLine reads back as the same value and holds no control character", () => {
  const value = { text: "a\x9bb\u202ec\u2028d\x1b" };
  const line = jsonLine(value);
  expect(JSON.parse(line)).toEqual(value);
  expect(line).toMatch(/^[ -~]*$/);
});

test.each([
  ["abc", 3],
  ["", 0],
  ["Läb", 3],
  ["La\u0308b", 3],
  ["実験室", 6],
  ["ｆｅｄ", 6],
  ["한글", 4],
  ["👍", 2],
  ["👩‍🚀", 2],
  ["🇩🇪", 2],
  ["❤️", 2],
  ["✓", 1],
  ["a\u200bb", 2],
])("%j is %i columns wide", (text, width) => expect(widthOf(text)).toBe(width));

describe("fit", () => {
  test.each([
    ["abcdef", 6, "abcdef"],
    ["abcdef", 5, "abcd…"],
    ["実験室", 5, "実験…"],
    ["実験室", 4, "実…"],
    ["👩‍🚀👩‍🚀", 3, "👩‍🚀…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ])("%j in %i columns is %j", (text, columns, fitted) => expect(fit(text, columns)).toBe(fitted));

  test("is never wider than asked", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, columns) => {
        expect(widthOf(fit(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
