import fc from "fast-check";
import { expect, test } from "vitest";
import { checkLabName, labNameOf } from "./lab-name.ts";

test.each([
  ["my-lab", "my-lab"],
  ["Mein Läb (2)", "mein-lab-2"],
  ["2026 lab", "lab"],
  ["実験室", "lab"],
  ['it\'s "mine"', "it-s-mine"],
  ["", "lab"],
  ["x".repeat(80), "x".repeat(63)],
])("%j becomes %s", (text, name) => expect(labNameOf(text)).toBe(name));

test("what is made from any text is valid", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => checkLabName(labNameOf(text)) !== ""));
});

test("a name that is not valid is refused with one that is", () => {
  expect(() => checkLabName("My Lab")).toThrow('--name cannot be "My Lab"');
});
