import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { evaluateForScript } from "#engine/promql/script-evaluate.ts";
import { runScript } from "#engine/promql/script-run.ts";
import { labelsOf } from "#engine/series/labels.ts";
import type { Series } from "#engine/series/series.ts";
import { type Keeping, openScriptStore } from "./script-store.ts";

const never = new AbortController().signal;
const all = { matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER };

async function makeStore(keeping: Keeping) {
  const parent = mkdtempSync(join(tmpdir(), "fed-script-test-"));
  const store = await openScriptStore(keeping, parent);
  onTestFinished(async () => {
    await store.close();
    rmSync(parent, { recursive: true, force: true });
  });
  const files = () =>
    readdirSync(parent, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));
  return { parent, store, files };
}

function seriesOf(name: string, times: readonly number[], value = 7): Series {
  const values = new Float64Array(times.length).fill(value);
  return { labels: labelsOf({ __name__: name }), times: Float64Array.from(times), values };
}

test.each(["memory", "block"] as const)("samples of years, in %s, add up until they are cleared", async (keeping) => {
  const { store, files } = await makeStore(keeping);
  const times = Array.from({ length: 400 }, (_, i) => i * 86_400_000 * 100);
  await store.append([seriesOf("a", times)]);
  expect((await Array.fromAsync(store.queryable.select(all, never))).flat()).toEqual([seriesOf("a", times)]);
  expect(files().some((name) => name.endsWith(".block"))).toBe(keeping === "block");
  await store.append([seriesOf("b", [0])]);
  expect(await store.queryable.labelValues("__name__", all, never)).toEqual(["a", "b"]);
  await store.clear();
  expect(await store.queryable.series(all, never)).toEqual([]);
});

test("another value for the same time is refused; the folder is gone after closing", async () => {
  const { store, parent } = await makeStore("memory");
  await store.append([seriesOf("a", [0])]);
  await expect(store.append([seriesOf("a", [0], 8)])).rejects.toMatchObject({ code: "invalid" });
  await store.close();
  await store.close();
  expect(readdirSync(parent)).toEqual([]);
});

const scripts = join(import.meta.dirname, "../engine/promql/script");
const names = readdirSync(scripts).filter((name) => name.endsWith(".txt"));

test.each(["memory", "block"] as const)("the scripts of the language pass with their series in %s", async (keeping) => {
  const { store } = await makeStore(keeping);
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    const text = readFileSync(join(scripts, name), "utf8");
    const needs = { evaluate: evaluateForScript, store, thorough: true, signal: never };
    expect(await runScript(text, needs), name).toMatchObject({ failures: [], leftOut: [] });
  }
});
