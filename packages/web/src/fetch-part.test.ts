import { expect, test } from "vitest";
import { fetchPart } from "./fetch-part.ts";

/** A part that fails so often before it comes, and a hub that answers or not. */
function scene(options: { readonly failures: number; readonly there: readonly boolean[]; readonly why?: string }) {
  const { failures, there, why = "Failed to fetch dynamically imported module" } = options;
  const seen = { loads: 0, asked: 0, waits: [] as number[] };
  const load = async () => {
    seen.loads += 1;
    if (seen.loads <= failures) throw new TypeError(why);
    return "part";
  };
  const needs = {
    isThere: async () => there[seen.asked++] ?? true,
    pause: async (ms: number) => void seen.waits.push(ms),
  };
  return { seen, got: fetchPart(load, needs) };
}

test("a part that comes is asked for once", async () => {
  const { seen, got } = scene({ failures: 0, there: [] });
  expect(await got).toBe("part");
  expect(seen).toEqual({ loads: 1, asked: 0, waits: [] });
});

test("while the hub is away it is waited for, longer and longer, but never for ever", async () => {
  const { seen, got } = scene({ failures: 6, there: Array(6).fill(false) });
  expect(await got).toBe("part");
  expect(seen.waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test("a hub that is there but has no such part is not asked again", async () => {
  const { seen, got } = scene({ failures: 9, there: [false, true] });
  await expect(got).rejects.toThrow("Failed to fetch");
  expect(seen.loads).toBe(2);
});

test("styles that do not come are told as the router knows it: it loads the window anew", async () => {
  const { got } = scene({ failures: 9, there: [], why: "Unable to preload CSS for http://hub/assets/a.css." });
  await expect(got).rejects.toThrow(/^Failed to fetch dynamically imported module: Unable to preload CSS for/);
});
