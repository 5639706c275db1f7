import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { labelsOf } from "../series/labels.ts";
import type { Matcher } from "../series/matcher.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "./tsdb.ts";

const startMs = 1_700_006_400_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const never = new AbortController().signal;

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-tsdb-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openHere(folder: string, options: Partial<TsdbOptions> = {}): Promise<Tsdb> {
  const store = await openTsdb(folder, { clock: handClock(startMs + 1000 * hourMs), ...options });
  onTestFinished(() => store.close());
  return store;
}

const a = labelsOf({ __name__: "up", job: "a" });
const b = labelsOf({ __name__: "up", job: "b" });

function rows(...all: readonly (readonly [labels: readonly string[], timeMs: number, value: number])[]) {
  return {
    labels: all.map(([labels]) => labels),
    times: Float64Array.from(all, ([, timeMs]) => timeMs),
    values: Float64Array.from(all, ([, , value]) => value),
  };
}

async function all(store: Tsdb, matchers: readonly Matcher[] = [], from = 0, to = Number.MAX_SAFE_INTEGER) {
  const found: Record<string, [number, number][]> = {};
  for await (const batch of store.select({ matchers, startMs: from, endMs: to }, never)) {
    for (const { labels, times, values } of batch) {
      found[labels.join()] = [...times].map((time, i) => [time - startMs, values[i] as number]);
    }
  }
  return found;
}

describe("a store", () => {
  it("answers what was appended, again after a restart, and after sealing", async () => {
    const folder = tempFolder();
    let store = await openHere(folder);
    const times = Array.from({ length: 30 * 60 }, (_, i) => startMs + i * minuteMs);
    for (const time of times) {
      const row = rows([a, time, time % 1000], [b, time, 1]);
      expect(await store.append(row)).toEqual({ added: 2, same: 0, refused: 0, refusals: [] });
    }
    await store.maintain();
    const before = await all(store);
    expect(before[a.join()]?.length).toBe(times.length);
    expect(before[b.join()]).toEqual(times.map((time) => [time - startMs, 1]));
    const stats = await store.stats();
    expect(stats.blocks.length).toBeGreaterThan(1);
    expect(stats.headSamples + stats.blockSamples).toBe(2 * times.length);
    await store.close();
    store = await openHere(folder);
    expect(await all(store)).toEqual(before);
    expect((await store.stats()).damage).toEqual([]);
    expect((await store.stats()).headSamples).toBe(stats.headSamples);
  });
});
