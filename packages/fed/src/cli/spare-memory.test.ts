import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("this Node knows every flag that a hub sets: an unknown one would only be complained of", () => {
  const source = readFileSync(join(import.meta.dirname, "spare-memory.ts"), "utf8");
  const flags = [...source.matchAll(/setFlagsFromString\("--(?:no-)?([a-z-]+)/g)].map(([, flag = ""]) => flag);
  expect(flags.length).toBeGreaterThan(0);
  const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
  for (const flag of flags) expect(known).toMatch(new RegExp(`^ +--(\\[no-\\])?${flag} `, "m"));
});
