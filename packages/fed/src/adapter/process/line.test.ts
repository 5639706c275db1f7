import fc from "fast-check";
import { expect, test } from "vitest";
import { makeLineSplitter } from "./line.ts";

function split(chunks: readonly Buffer[], limitBytes?: number): readonly string[] {
  const splitter = makeLineSplitter(limitBytes);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

test("lines are the same wherever the bytes were cut", () => {
  const text = fc
    .array(fc.constantFrom("a", "ü", "😀", "\n", "\r\n", " "), { maxLength: 40 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.array(fc.nat(80), { maxLength: 6 }), (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((to, i) => bytes.subarray(places[i], to));
      const lines = whole.split("\n").map((line) => line.replace(/\r$/, ""));
      if (whole === "" || whole.endsWith("\n")) lines.pop();
      expect(split(chunks)).toEqual(lines);
    }),
  );
});

test("a line over the limit is cut at a whole character, and says how much is left out", () => {
  const chunks = [Buffer.from(`${"a".repeat(9)}ü${"b".repeat(90)}`), Buffer.from("c\nnext\n")];
  expect(split(chunks, 10)).toEqual([`${"a".repeat(9)} … [92 more bytes in this line]`, "next"]);
  expect(split([Buffer.from(`${"a".repeat(10)}\n`)], 10)).toEqual(["a".repeat(10)]);
  expect(split([Buffer.alloc(1_000_000, "x")])[0]).toHaveLength(
    64 * 1024 + " … [934464 more bytes in this line]".length,
  );
});

test("bytes that are no text are replaced, not lost", () => {
  expect(split([Buffer.from([0x61, 0xff, 0xfe, 0x00, 0x62, 0x0a, 0xc3])])).toEqual(["a\ufffd\ufffd\0b", "\ufffd"]);
});
