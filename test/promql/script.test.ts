import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Keeping, openScriptStore } from "../../packages/fed/src/cli/script-store.ts";
import { parse } from "../../packages/fed/src/engine/promql/parse.ts";
import { print } from "../../packages/fed/src/engine/promql/print.ts";
import { readScript } from "../../packages/fed/src/engine/promql/script.ts";
import { evaluateForScript } from "../../packages/fed/src/engine/promql/script-evaluate.ts";
import { runScript } from "../../packages/fed/src/engine/promql/script-run.ts";

/**
 * The scripts with which Prometheus tests its engine are not ours to copy. They are taken from where FED_PROMQL_SCRIPTS
 * says, or from a folder `promql` in any folder beside the repository.
 */
function findScripts(): string | undefined {
  const named = process.env.FED_PROMQL_SCRIPTS;
  if (named !== undefined) return named;
  const beside = dirname(join(import.meta.dirname, "../.."));
  return readdirSync(beside)
    .map((name) => join(beside, name, "promql"))
    .find((folder) => existsSync(join(folder, "literals.test")));
}

const folder = findScripts();
const names = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".test"));

function read(name: string): string {
  return readFileSync(join(folder ?? "", name), "utf8");
}

/** By name, so that nobody takes their number for granted: cases with native histograms, and these. */
const experimental = [
  "limitk() is experimental in Prometheus and not understood here",
  "limit_ratio() is experimental in Prometheus and not understood here",
  "first_over_time() is experimental in Prometheus and not understood here",
  "mad_over_time() is experimental in Prometheus and not understood here",
  "sort_by_label() is experimental in Prometheus and not understood here",
  "sort_by_label_desc() is experimental in Prometheus and not understood here",
  "expects native histograms",
  "reads native histograms",
];

// Their absence is no test left out, for they are no part of the repository; in CI nothing may be skipped.
if (names.length === 0) {
  it("finds no scripts of Prometheus beside the repository: runs none", () => expect(names).toEqual([]));
} else {
  describe("Prometheus' own scripts", judge);
}

function judge(): void {
  const keepings: readonly Keeping[] = ["memory", "block"];
  it.each(names.flatMap((name) => keepings.map((keeping) => [name, keeping] as const)))(
    "%s passes on the store, its series in %s",
    async (name, keeping) => {
      const store = await openScriptStore(keeping);
      const needs = { evaluate: evaluateForScript, store, thorough: true, signal: new AbortController().signal };
      const { failures, leftOut, total } = await runScript(read(name), needs).finally(() => store.close());
      expect(failures).toEqual([]);
      expect(total).toBeGreaterThan(0);
      expect(leftOut.filter(({ words }) => !experimental.includes(words))).toEqual([]);
    },
  );

  it.each(names)("the queries of %s print as what reads the same", (name) => {
    for (const command of readScript(read(name))) {
      if (command.kind !== "eval" || /^(?:limit|first|mad|sort_by)/.test(command.query)) continue;
      const text = print(parse(command.query));
      expect(print(parse(text))).toBe(text);
    }
  });
}
