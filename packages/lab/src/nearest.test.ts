import fc from "fast-check";
import { expect, it } from "vitest";
import { nearest } from "./nearest.ts";

const known = ["database", "cache", "blog", "staging", "prod"];

it.each([
  ["databse", "database"],
  ["dtaabase", "database"],
  ["Database", "database"],
  ["cahce", "cache"],
  ["prd", "prod"],
  ["blgo", "blog"],
  ["stagin", "staging"],
])("%s may mean %s", (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

it.each(["", "x", "mailer", "production", "dat"])("%j means none", (word) => {
  expect(nearest(word, known)).toBeUndefined();
});

it("finds a word that is there", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1 }), fc.nat(), (words, index) => {
      const word = words[index % words.length] ?? "";
      expect(nearest(word, words)?.toLowerCase()).toBe(word.toLowerCase());
    }),
  );
});

it("stays quick with many long words", () => {
  const words = Array.from({ length: 5_000 }, (_, i) => `${"service-with-a-long-name-".repeat(2)}${i}`);
  const began = performance.now();
  nearest("x".repeat(100_000), words);
  expect(performance.now() - began).toBeLessThan(500);
});
