import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { hashText } from "./sha256.ts";

const expected = (text: string) => createHash("sha256").update(text, "utf8").digest("hex");

it("knows the standard's own examples", () => {
  expect(hashText("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(hashText("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

it("is Node's hash at every length around a block", () => {
  for (let length = 0; length <= 200; length++) expect(hashText("a".repeat(length))).toBe(expected("a".repeat(length)));
});

it("is Node's hash for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(hashText(text)).toBe(expected(text));
    }),
  );
});

it("takes a lone surrogate as Node does", () => {
  expect(hashText("a\ud800b")).toBe(expected("a\ud800b"));
});

it("takes a long text", () => {
  const text = "größe ☃ 😀 ".repeat(100_000);
  expect(hashText(text)).toBe(expected(text));
});
