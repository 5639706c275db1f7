import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openMemory } from "../memory.ts";
import { evaluateForScript } from "../script-evaluate.ts";
import { runScript } from "../script-run.ts";

it.each(["function", "language", "match", "moment"])("the script %s passes", async (name) => {
  const text = readFileSync(join(import.meta.dirname, `${name}.txt`), "utf8");
  const needs = {
    evaluate: evaluateForScript,
    store: openMemory(),
    thorough: true,
    signal: AbortSignal.timeout(60_000),
  };
  const { failures, leftOut, total } = await runScript(text, needs);
  expect(failures).toEqual([]);
  expect(leftOut).toEqual([]);
  expect(total).toBeGreaterThan(20);
});
