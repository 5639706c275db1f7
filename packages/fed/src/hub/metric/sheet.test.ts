import fc from "fast-check";
import { expect, test } from "vitest";
import { isFull, sheetOf, tear, writeNumber, writeText } from "./sheet.ts";

const print = (value: number) => {
  const sheet = sheetOf();
  writeNumber(sheet, value);
  return Buffer.from(tear(sheet)).toString();
};

test.each<[value: number, text: string]>([
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
  [-0, "-0"],
  [0, "0"],
  [0.1, "0.1"],
  [-0.05, "-0.05"],
  [0.001, "0.001"],
  [1e-7, "1e-07"],
  [1.5e21, "1.5e+21"],
  [1e100, "1e+100"],
  [123_456_789_012, "123456789012"],
  [1_000_000_000, "1000000000"],
  [999_999_999_999.999, "999999999999.999"],
  [4_000_000_000.5, "4000000000.5"],
  [Number.MAX_SAFE_INTEGER, "9007199254740991"],
])("%s is %j", (value, text) => expect(print(value)).toBe(text));

test("every number is the shortest text that is read as it again", () => {
  const decimals = fc
    .tuple(fc.integer(), fc.integer({ min: 0, max: 6 }))
    .map(([whole, digits]) => whole / 10 ** digits);
  const near = fc.tuple(decimals, fc.integer({ min: -2, max: 2 })).map(([value, ulps]) => value + ulps * 2 ** -40);
  const any = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), decimals, near, fc.maxSafeInteger());
  fc.assert(
    fc.property(any, (value) => {
      const usual = Object.is(value, -0) ? "-0" : String(value).replace(/e([+-])(\d)$/, "e$10$2");
      expect(print(value)).toBe(usual);
    }),
    { numRuns: 5_000 },
  );
});

test("texts of any length and any letters, in as many pieces as it takes", () => {
  const parts = ["é", "x".repeat(200_000), "🍏".repeat(30_000), ""];
  const sheet = sheetOf();
  const pieces: Uint8Array[] = [];
  for (const part of [...parts, ...parts]) {
    if (isFull(sheet)) pieces.push(tear(sheet));
    writeText(sheet, part);
  }
  pieces.push(tear(sheet));
  expect(Buffer.concat(pieces).toString()).toBe([...parts, ...parts].join(""));
});
