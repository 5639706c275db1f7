import fc from "fast-check";
import { expect, test } from "vitest";
import { makeWordPool } from "./word-pool.ts";

test("a word is the same text, however often it is said and whatever was said before", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 300 })), (texts) => {
      const word = makeWordPool(3);
      for (const text of ["\ufeffbegin", ...texts]) {
        expect(word(text)).toBe(text);
        expect(word(`x${text}`.slice(1))).toBe(text);
      }
    }),
  );
});

test("half of a letter is no letter", () => {
  expect(makeWordPool()("a\ud800b")).toBe("a\ufffdb");
});
