import fc from "fast-check";
import { expect, test } from "vitest";
import { plainLine } from "./ansi.ts";

const esc = "\u001b";

test.each([
  ["plain text", "plain text"],
  ["a\tb", "a\tb"],
  [`${esc}[31mred${esc}[0m`, "red"],
  [`${esc}[1;38;2;255;0;0mbold${esc}[m done`, "bold done"],
  [`${esc}]0;title\u0007prompt$`, "prompt$"],
  [`${esc}]8;;https://example.org${esc}\\link${esc}]8;;${esc}\\`, "link"],
  [`${esc}[2K${esc}[1Gready`, "ready"],
  ["10%\r50%\r100%", "100%"],
  ["done\r", "done"],
  [`cut off ${esc}[3`, "cut off "],
  ["bell\u0007 and\u0000 nul", "bell and nul"],
  ["left\u202eright", "leftright"],
  ["Grüße, 世界 🎉", "Grüße, 世界 🎉"],
  ["", ""],
])("%j is shown as %j", (text, shown) => {
  expect(plainLine(text)).toBe(shown);
});

test("nothing a service prints can hide or reorder what is shown", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(esc, `${esc}[`, `${esc}]0;`, "\r", "\u009b", "31m"),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const shown = plainLine(pieces.join(""));
      expect([...shown].filter((one) => one !== "\t" && /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(one))).toEqual([]);
      expect(plainLine(shown)).toBe(shown);
    }),
  );
});
