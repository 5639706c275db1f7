import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");

/** From where a path in the text may be meant. */
const places = ["", "packages/fed/src", "packages/web/src", "packages/lab/src"];

/** What stands in backticks and is a path: no command, no placeholder, no bare file name. */
const paths = [...text.matchAll(/`([^`\s]+)`/g)]
  .map(([, word = ""]) => word)
  .filter((word) => word.includes("/") && !/^\.\/|[<*#…]/.test(word));

test.each([...new Set(paths)])("%s, which CONTRIBUTING.md names, is there", (path) => {
  expect(places.some((place) => existsSync(join(root, place, path)))).toBe(true);
});

test("the noun to copy has all five files, and a test for each", () => {
  for (const name of ["machine", "store", "verbs", "http", "loop"]) {
    for (const ending of ["ts", "test.ts"]) {
      expect(existsSync(join(root, "packages/fed/src/hub/machine", `${name}.${ending}`)), `${name}.${ending}`).toBe(
        true,
      );
    }
  }
});
