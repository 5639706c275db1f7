import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import { labelsOf } from "../series/labels.ts";
import type { SelectionHint } from "../series/queryable.ts";
import { isStale, type SummaryColumn } from "../series/series.ts";
import { stepName, usualTiers } from "./tier.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "./tsdb.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const startMs = 19_700 * dayMs;
const everyMs = 600_000;
const perDay = dayMs / everyMs;
const labels = ["a", "b"].map((job) => labelsOf({ __name__: "x", job }));
const never = new AbortController().signal;
const valueAt = (nth: number, timeMs: number) => ((timeMs / everyMs) * (nth + 3)) % 1000;

interface Scene {
  readonly folder: string;
  readonly clock: HandClock;
  store: Tsdb;
  reopen(): Promise<void>;
}

/** A store of two series that has been kept for some days, a sample every ten minutes. */
async function keep(days: number, more: Partial<TsdbOptions> = {}): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "fed-tier-"));
  const clock = handClock(startMs);
  const options = { clock, tiers: usualTiers(), durability: "relaxed", ...more } as const;
  const scene: Scene = {
    folder,
    clock,
    store: await openTsdb(folder, options),
    async reopen() {
      await scene.store.close();
      scene.store = await openTsdb(folder, options);
    },
  };
  onTestFinished(async () => {
    await scene.store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (let day = 0; day < days; day++) await live(scene, 1);
  return scene;
}

async function live({ store, clock }: Scene, days: number): Promise<void> {
  const fromMs = clock.nowMs();
  await clock.turn(days * dayMs);
  const times = Array.from({ length: days * perDay }, (_, i) => fromMs + (i + 1) * everyMs);
  await store.append({
    labels: times.flatMap(() => labels),
    times: Float64Array.from(times.flatMap((timeMs) => [timeMs, timeMs])),
    values: Float64Array.from(times.flatMap((timeMs) => [valueAt(0, timeMs), valueAt(1, timeMs)])),
  });
  await store.maintain();
}

/** For each series: what a column adds up to over all, and how many entries were summaries. */
async function told(store: Tsdb, column: SummaryColumn, mostMs = hourMs) {
  const found: Record<string, { sum: number; entries: number }> = {};
  const hint: SelectionHint = { stepMs: 0, rangeMs: 0, summary: { columns: [column], mostMs } };
  for await (const batch of store.select({ matchers: [], startMs: 0, endMs: 1e15, hint }, never)) {
    for (const { labels, times, values, coarse } of batch) {
      let sum = 0;
      for (let i = 0; i < times.length; i++) {
        if (isStale(values, i)) continue;
        sum += column === "count" && i >= (coarse?.entries ?? 0) ? 1 : (values[i] as number);
      }
      found[labels[3] as string] = { sum, entries: coarse?.entries ?? 0 };
    }
  }
  return found;
}

const wholeSum = (nth: number, days: number) =>
  Array.from({ length: days * perDay }, (_, i) => valueAt(nth, startMs + (i + 1) * everyMs)).reduce((a, b) => a + b, 0);
const files = ({ folder }: Scene, step: string) => readdirSync(join(folder, `tier-${step}`)).sort();

describe("tiers", () => {
  it("are made of complete days, joined to few files, and named with what they hold", async () => {
    const scene = await keep(12);
    const { tiers } = await scene.store.stats();
    expect(tiers).toMatchObject([
      { stepMs: 300_000, files: 2, summaries: 2 * (11 * perDay - 1) },
      { stepMs: hourMs, files: 4, summaries: 2 * (11 * 24 + 10) },
      // Of a sample at the very start of a day there is a summary of its own, as it ends an hour that is in the day before.
    ]);
    expect((await told(scene.store, "count")).a).toEqual({ sum: 12 * perDay, entries: 11 * 24 + 10 });
    expect((await told(scene.store, "sum")).b?.sum).toBe(wholeSum(1, 12));
    expect((await told(scene.store, "count", 0)).a).toEqual({ sum: 12 * perDay, entries: 0 });
    await scene.reopen();
    expect((await scene.store.stats()).tiers).toEqual(tiers);
    expect((await told(scene.store, "sum")).a?.sum).toBe(wholeSum(0, 12));
    expect(await scene.store.verify()).toEqual([]);
  });

  it("answer when samples are gone, each for as long as it is kept", async () => {
    const scene = await keep(14, { retainMs: 3 * dayMs, tiers: usualTiers(6 * dayMs) });
    const { blocks } = await scene.store.stats();
    expect(Math.min(...blocks.map((block) => block.startMs))).toBe(startMs + 11 * dayMs);
    const all = (await told(scene.store, "count", 0)).a;
    expect(all?.sum).toBe(14 * perDay);
    const series = await scene.store.series({ matchers: [], startMs, endMs: startMs + dayMs }, never);
    expect(series).toEqual(labels);
  });

  it("lose at once what is deleted, and are made again of what is left", async () => {
    const scene = await keep(12);
    const [fromMs, toMs] = [startMs + 3 * dayMs + 1, startMs + 5 * dayMs];
    await scene.store.delete({ matchers: [{ name: "job", kind: "=", value: "a" }], startMs: fromMs, endMs: toMs });
    const left = { a: 10 * perDay, b: 12 * perDay };
    for (const when of ["at once", "after a restart", "made again"]) {
      if (when === "after a restart") await scene.reopen();
      if (when === "made again") await scene.store.maintain();
      for (const [job, sum] of Object.entries(left)) {
        expect([when, (await told(scene.store, "count"))[job]?.sum]).toEqual([when, sum]);
      }
    }
    expect((await told(scene.store, "count")).b?.entries).toBe(11 * 24 + 10);
  });

  it("follow what is brought in later, before and after they are made again", async () => {
    const scene = await keep(12);
    const late = {
      labels: [labels[0] as readonly string[], labels[0] as readonly string[]],
      times: Float64Array.of(startMs + 3 * dayMs + 1, startMs + 11 * dayMs - 1),
      values: Float64Array.of(1, 2),
    };
    expect((await scene.store.backfill(late)).added).toBe(2);
    const sum = 12 * perDay + 2;
    expect((await told(scene.store, "count")).a?.sum).toBe(sum);
    await scene.reopen();
    expect((await told(scene.store, "count")).a?.sum).toBe(sum);
    await scene.store.maintain();
    await scene.store.maintain();
    const again = (await told(scene.store, "count")).a;
    expect(again?.sum).toBe(sum);
    expect(again?.entries).toBeGreaterThan(11 * 24);
    expect(files(scene, "1h").filter((name) => name.endsWith(".stale"))).toEqual([]);
  });

  it("are not read for a day whose samples have changed since they were joined", async () => {
    const scene = await keep(12);
    await scene.store.close();
    for (const step of ["5m", "1h"]) writeFileSync(join(scene.folder, `tier-${step}`, `${startMs + dayMs}.stale`), "");
    scene.store = await openTsdb(scene.folder, { clock: scene.clock, tiers: usualTiers() });
    expect((await told(scene.store, "count")).a).toEqual({ sum: 12 * perDay, entries: expect.any(Number) });
    // The day is read as samples, which stand among the summaries.
    expect((await told(scene.store, "count")).a?.entries).toBe(10 * 24 + 9 + perDay);
    await scene.store.maintain();
    expect((await told(scene.store, "count")).a?.entries).toBe(11 * 24 + 10);
  });

  it("name their damage, never give a wrong value, and are made again", async () => {
    const scene = await keep(9);
    const sums = [wholeSum(0, 9), wholeSum(1, 9)];
    const paths = files(scene, "1h").map((name) => join(scene.folder, "tier-1h", name));
    const whole = paths.map((path) => [path, readFileSync(path)] as const);
    await scene.store.close();
    let lossy = 0;
    for (let round = 0; round < 24; round++) {
      const path = paths[round % paths.length] as string;
      const broken = Uint8Array.from(readFileSync(path));
      const at = (round * 7919) % broken.length;
      broken[at] = (broken[at] as number) ^ (1 << (round % 8));
      writeFileSync(path, broken);
      scene.store = await openTsdb(scene.folder, { clock: scene.clock, tiers: usualTiers() });
      const counts = await told(scene.store, "count");
      const all = await told(scene.store, "sum");
      const isWhole = counts.a?.sum === 9 * perDay && counts.b?.sum === 9 * perDay;
      if (isWhole && all.a?.sum === sums[0]) expect(all.b?.sum).toBe(sums[1]);
      for (const [nth, job] of ["a", "b"].entries()) expect(all[job]?.sum).toBeLessThanOrEqual(sums[nth] as number);
      const damage = await scene.store.verify();
      expect(damage.map(({ file }) => file)).toContain(path);
      if (!isWhole || all.a?.sum !== sums[0]) lossy++;
      await scene.store.maintain();
      expect((await told(scene.store, "sum")).a?.sum).toBe(sums[0]);
      expect((await told(scene.store, "count")).b?.sum).toBe(9 * perDay);
      await scene.store.close();
      rmSync(join(scene.folder, "tier-1h"), { recursive: true });
      mkdirSync(join(scene.folder, "tier-1h"));
      for (const [one, data] of whole) writeFileSync(one, data);
    }
    expect(lossy).toBeGreaterThan(2);
  });

  it("keep samples waiting that are too old until their summaries are on the disk", async () => {
    const scene = await keep(3, { retainMs: 4 * dayMs });
    // What stands in the way of the file's name: as good as a full disk.
    const inTheWay = join(scene.folder, "tier-1h", `${startMs + 2 * dayMs}-${startMs + 3 * dayMs}.block.tmp`);
    mkdirSync(inTheWay);
    for (let day = 0; day < 4; day++) await live(scene, 1).catch(() => {});
    await expect(scene.store.maintain()).rejects.toMatchObject({ code: expect.any(String) });
    const { blocks } = await scene.store.stats();
    expect(blocks.some((block) => block.startMs === startMs + 2 * dayMs)).toBe(true);
    rmdirSync(inTheWay);
    await scene.store.maintain();
    await scene.store.maintain();
    expect((await scene.store.stats()).blocks.some((block) => block.endMs === startMs + 3 * dayMs)).toBe(false);
    expect((await told(scene.store, "count", 0)).a?.sum).toBe(7 * perDay);
  });
});

it("the name of a tier is its step", () => {
  expect([300_000, hourMs, 90_000, 2000].map(stepName)).toEqual(["5m", "1h", "90s", "2s"]);
});
