import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { SampleStore } from "#engine/tsdb/remote.ts";
import { makeKeep } from "./keep.ts";

const takesAll = { backfill: async () => ({ added: 1, same: 0, refused: 0, refusals: [] }) };

function openKeep() {
  const keep = makeKeep();
  return (text: string) =>
    keep(
      takesAll as Partial<SampleStore> as SampleStore,
      { kind: "text", bytes: new TextEncoder().encode(text), format: "text", timeMs: 1 },
      "tenant",
    );
}

test("what a metric says of itself is told once, cut, and not at all of a name that no sample could have", async () => {
  const keep = openKeep();
  const text = `# HELP a ${"x".repeat(5_000)}\n# TYPE ${"n".repeat(257)} gauge\na 1\n`;
  expect((await keep(text)).notes).toEqual([{ about: "help", metric: "a", text: "x".repeat(1_000) }]);
  expect((await keep(`\n${text}`)).notes).toEqual([]);
});

test("no text stays in memory for the sake of a name or a note that came in it", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const keep = openKeep();
  const padding = `# ${"x".repeat(100_000)}\n`;
  const notes: unknown[] = [];
  const send = async (nth: number) => {
    const name = `a_metric_with_a_long_name_${nth}`;
    notes.push(
      (await keep(`# HELP ${name} Words that are long enough.\n${padding}${name}{job="a long enough value"} 1\n`))
        .notes,
    );
  };
  await send(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let nth = 1; nth <= 200; nth++) await send(nth);
  collect();
  expect(notes).toHaveLength(201);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
});
