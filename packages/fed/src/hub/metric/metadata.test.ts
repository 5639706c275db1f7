import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import { tempFolder } from "#disk/fixture.ts";
import { mostDescribed, openMetadata } from "./metadata.ts";

function open(folder: string) {
  const clock = handClock(0);
  const entries: TraceEntry[] = [];
  const trace = makeTrace(
    () => 0,
    "warn",
    (entry) => entries.push(entry),
  );
  return { ...openMetadata({ folder, clock, trace }), clock, entries };
}

const type = (metric: string, text = "counter") => ({ about: "type" as const, metric, text });

test("it is there again after a restart, and what was told since counts", async () => {
  const folder = join(tempFolder(), "metrics");
  const one = open(folder);
  one.note(type("a"));
  one.note({ about: "help", metric: "a", text: "How many." });
  one.note(type("b", "untyped"));
  await one.close();
  const two = open(folder);
  two.note(type("a", "gauge"));
  expect(Object.fromEntries(await two.all())).toEqual({
    a: { type: "gauge", help: "", unit: "" },
    b: { type: "unknown", help: "", unit: "" },
  });
});

test("it is written some seconds after it was told, once, and not for what is known", async () => {
  const folder = tempFolder();
  const path = join(folder, "metadata.json");
  const one = open(folder);
  one.note(type("a"));
  one.note({ about: "unit", metric: "a", text: "s" });
  await one.clock.turn(5_000);
  await expect.poll(() => readText(path)).toContain('"unit":"s"');
  writeFileSync(path, "{}");
  one.note(type("a"));
  await one.clock.turn(5_000);
  await one.close();
  expect(readText(path)).toBe("{}");
});

test("a file that cannot be read or written is told, and does no harm", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "metadata.json"), "{broken");
  const one = open(folder);
  expect([...(await one.all())]).toEqual([]);
  expect(one.entries).toHaveLength(1);
  const blocked = join(folder, "file");
  writeFileSync(blocked, "");
  const two = open(join(blocked, "metrics"));
  two.note(type("a"));
  await two.close();
  expect(two.entries.at(-1)).toMatchObject({ level: "warn", message: expect.stringContaining("not written") });
});

test("no more than a bound", async () => {
  const one = open(tempFolder());
  for (let i = 0; i < mostDescribed + 5; i++) one.note(type(`m${i}`));
  expect((await one.all()).size).toBe(mostDescribed);
});

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
