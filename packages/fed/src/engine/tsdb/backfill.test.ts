import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { labelsOf } from "../series/labels.ts";
import { wordsOf } from "./codec.ts";
import { usualTiers } from "./tier.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "./tsdb.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** The begin of a day. */
const startMs = 1_700_006_400_000;
const nowMs = startMs + 30 * dayMs;
const never = new AbortController().signal;
const everything = { matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER };

async function openHere(folder: string, options: Partial<TsdbOptions> = {}): Promise<Tsdb> {
  const store = await openTsdb(folder, { clock: handClock(nowMs), ...options });
  onTestFinished(() => store.close());
  return store;
}

const a = labelsOf({ __name__: "up", job: "a" });
const b = labelsOf({ __name__: "up", job: "b" });

type Row = readonly [labels: readonly string[], timeMs: number, value: number];

function rows(...all: readonly Row[]) {
  return {
    labels: all.map(([labels]) => labels),
    times: Float64Array.from(all, ([, timeMs]) => timeMs),
    values: Float64Array.from(all, ([, , value]) => value),
  };
}

/** A row each so often, from a moment on. */
function line(labels: readonly string[], fromMs: number, count: number, stepMs = minuteMs): Row[] {
  return Array.from({ length: count }, (_, i) => [labels, fromMs + i * stepMs, i]);
}

async function all(store: Tsdb) {
  const found: Record<string, [number, number][]> = {};
  for await (const batch of store.select(everything, never)) {
    for (const { labels, times, values } of batch) {
      found[labels.join()] = [...times].map((time, i) => [time - startMs, values[i] as number]);
    }
  }
  return found;
}

const expected = (given: readonly Row[]) => given.map(([, timeMs, value]) => [timeMs - startMs, value]);

describe("a back-fill", () => {
  it("is answered at once, after a restart, beside what is there, and makes one block of a day", async () => {
    const folder = tempFolder();
    let store = await openHere(folder);
    const recent = line(a, nowMs - 2 * hourMs, 120);
    await store.append(rows(...recent));
    const old = [...line(a, startMs, 3000), ...line(b, startMs + dayMs, 1000)];
    expect(await store.backfill(rows(...old))).toEqual({ added: 4000, same: 0, refused: 0, refusals: [] });
    const whole = {
      [a.join()]: expected([...old.slice(0, 3000), ...recent]),
      [b.join()]: expected(old.slice(3000)),
    };
    expect(await all(store)).toEqual(whole);
    await store.close();
    store = await openHere(folder);
    expect(await all(store)).toEqual(whole);
    expect(await store.stats()).toMatchObject({ headSamples: 4120, blocks: [], damage: [] });
    await store.maintain();
    expect(await all(store)).toEqual(whole);
    const { blocks, headSamples } = await store.stats();
    expect(blocks.map((block) => (block.startMs - startMs) / dayMs)).toEqual([0, 1, 2]);
    expect(headSamples).toBe(120);
    // Between what is in a block already.
    const more = old.map(([labels, timeMs]): Row => [labels, timeMs + 1, -1]);
    expect(await store.backfill(rows(...more))).toMatchObject({ added: 4000 });
    await store.maintain();
    expect((await store.stats()).blocks.map(({ samples }) => samples)).toEqual([2880, 2 * 2440, 240]);
    expect((await all(store))[a.join()]?.slice(0, 4)).toEqual([
      [0, 0],
      [1, -1],
      [minuteMs, 1],
      [minuteMs + 1, -1],
    ]);
    await store.close();
    store = await openHere(folder);
    expect((await store.stats()).blockSamples).toBe(8000);
  });

  it("goes on where nothing has been, and takes what is new the usual way", async () => {
    const store = await openHere(tempFolder());
    for (const labels of [a, b]) {
      const answer = await store.backfill(rows(...line(labels, startMs, 3 * 1440), [labels, nowMs, 1]));
      expect(answer).toMatchObject({ added: 3 * 1440 + 1, refused: 0 });
    }
    const found = await all(store);
    expect(found[a.join()]?.length).toBe(3 * 1440 + 1);
    expect(found[b.join()]).toEqual(found[a.join()]);
  });

  it("names what it refuses by its row: another value at a time, what is too old, what can be no series", async () => {
    const store = await openHere(tempFolder(), { retainMs: 20 * dayMs, limits: { seriesPerTenant: 2 } });
    await store.append(rows([a, nowMs, 1]));
    const oldMs = nowMs - 10 * dayMs;
    await store.backfill(rows([a, oldMs, 1]));
    const again = rows(
      [a, oldMs, 2],
      [a, nowMs, 1],
      [a, oldMs, 1],
      [a, nowMs, 3],
      [b, oldMs, 5],
      [b, oldMs, 5],
      [b, oldMs, 6],
      [b, nowMs - 21 * dayMs, 5],
      [["z", "1"], oldMs, 5],
      [["z", ""], oldMs, 5],
      [b, oldMs + 0.5, 5],
      [b, nowMs + dayMs, 5],
    );
    for (const round of ["staged", "in a block"]) {
      const answer = await store.backfill(again);
      expect(answer).toMatchObject(round === "staged" ? { added: 1, same: 3 } : { added: 1, same: 4 });
      expect(answer.refusals.map(({ kind, row }) => [kind, row])).toEqual([
        ["other value", 0],
        ["other value", 3],
        ["other value", 6],
        ["too old", 7],
        ...(round === "staged" ? [["too many series", 8]] : []),
        ["labels", 9],
        ["time", 10],
        ["too far ahead", 11],
      ]);
      expect(answer.refusals[0]?.message).toContain("has another value at 2023-12-05T00:00:00.000Z already");
      expect(answer.refusals[3]?.message).toContain("older than what is kept, which begins at 2023-11-25");
      await store.maintain();
    }
    expect((await all(store))[b.join()]).toEqual([[oldMs - startMs, 5]]);
  });

  it("keeps every bit", async () => {
    const bits = [0x7ff00000_00000002n, 0x7ff80000_00000001n, 0xfff80000_00000007n, 0x80000000_00000000n, 1n];
    const values = new Float64Array(BigUint64Array.from(bits).buffer);
    const folder = tempFolder();
    let store = await openHere(folder);
    await store.append(rows([a, nowMs, 1]));
    const times = Float64Array.from(values, (_, i) => startMs + i);
    await store.backfill({ labels: times.reduce<(typeof a)[]>((list) => [...list, a], []), times, values });
    for (let round = 0; round < 3; round++) {
      const found: number[] = [];
      for await (const batch of store.select({ ...everything, endMs: startMs + dayMs }, never)) {
        for (const series of batch) found.push(...wordsOf(series.values));
      }
      expect(found).toEqual([...wordsOf(values)]);
      await store.close();
      store = await openHere(folder);
      if (round === 1) await store.maintain();
    }
  });

  it("writes what waits when it is much, lays it over its days, and merges it when the layers are many", async () => {
    const folder = tempFolder();
    let store = await openHere(folder, { stagedSamples: 100 });
    await store.append(rows([a, nowMs, 1]));
    let most = 0;
    for (let i = 0; i < 40; i++) {
      if (i % 13 === 6) {
        await store.close();
        store = await openHere(folder, { stagedSamples: 100 });
      }
      const answer = await store.backfill(rows(...line(a, startMs + i * 10, 100), ...line(b, startMs + i * 10, 100)));
      expect(answer).toMatchObject({ added: 200 });
      const { headSamples, blocks } = await store.stats();
      expect(headSamples).toBeLessThanOrEqual(201);
      most = Math.max(most, blocks.length);
      expect((await all(store))[a.join()]?.length).toBe((i + 1) * 100 + 1);
    }
    // Neither a block rewritten for each batch, nor a layer more for each.
    expect(most).toBeGreaterThan(5);
    expect(most).toBeLessThan(12);
    await store.maintain();
    expect((await store.stats()).blocks).toMatchObject([{ startMs, endMs: startMs + dayMs, samples: 8000 }]);
  });

  it("joins the layers of a day that is not over", async () => {
    const clock = handClock(nowMs + 3 * hourMs);
    const store = await openHere(tempFolder(), { clock, stagedSamples: 10 });
    await store.append(rows([a, nowMs + 12 * hourMs - dayMs, 1]));
    for (let i = 0; i < 30; i++) await store.backfill(rows(...line(b, nowMs - dayMs + i, 10)));
    await store.maintain();
    const { blocks } = await store.stats();
    expect(blocks.length).toBeLessThan(12);
    expect((await all(store))[b.join()]?.length).toBe(300);
    await store.append(rows([a, nowMs + 3 * hourMs, 1]));
    await store.maintain();
    expect((await store.stats()).blocks).toMatchObject([{ startMs: nowMs - dayMs, endMs: nowMs, samples: 301 }]);
  });

  it("is deleted, and forgotten by age, like all else", async () => {
    const clock = handClock(nowMs);
    const store = await openHere(tempFolder(), { clock, retainMs: 40 * dayMs });
    await store.append(rows([a, nowMs, 1]));
    await store.backfill(rows(...line(a, startMs, 2000), ...line(b, startMs, 10)));
    await store.delete({ ...everything, endMs: startMs + 999 * minuteMs });
    expect((await all(store))[a.join()]?.length).toBe(1001);
    expect(await store.backfill(rows(...line(b, startMs, 10)))).toMatchObject({ added: 10 });
    await store.maintain();
    await clock.turn(12 * dayMs);
    await store.maintain();
    expect(await all(store)).toEqual({ [a.join()]: [[nowMs - startMs, 1]] });
    expect((await store.stats()).blocks).toEqual([]);
  });

  it("is judged by what is closed and not written yet, too", async () => {
    const store = await openHere(tempFolder());
    await store.append(rows([a, startMs, 1], [a, startMs + 3.5 * hourMs, 1]));
    // While the first two hours are written, the next are closed.
    await store.append(rows([a, startMs + 2.5 * hourMs, 7], [a, startMs + 5.5 * hourMs, 1]));
    expect((await store.stats()).closedMs).toBe(startMs + 4 * hourMs);
    const answer = await store.backfill(rows([a, startMs + 2.5 * hourMs, 8], [a, startMs + 2.5 * hourMs, 7]));
    expect(answer).toMatchObject({ added: 0, same: 1, refused: 1 });
  });

  it("is taken though its time is closed while it comes", async () => {
    const store = await openHere(tempFolder());
    await store.append(rows([a, startMs, 1]));
    const [, answer] = await Promise.all([
      store.append(rows([a, startMs + 10 * hourMs, 1])),
      store.backfill(rows([b, startMs + hourMs, 1], [b, startMs + 10 * hourMs, 2])),
    ]);
    expect(answer).toMatchObject({ added: 2, refused: 0 });
    expect((await all(store))[b.join()]?.length).toBe(2);
  });

  it("keeps its time closed to who would take late samples later on", async () => {
    const folder = tempFolder();
    let store = await openHere(folder);
    await store.append(rows([a, nowMs, 1]));
    expect(await store.backfill(rows([a, nowMs - 10 * hourMs, 1]))).toMatchObject({ added: 1 });
    await store.close();
    store = await openHere(folder, { outOfOrderMs: 20 * hourMs });
    expect(await store.append(rows([a, nowMs - 10 * hourMs, 2]))).toMatchObject({ added: 0, refused: 1 });
    expect(await store.append(rows([a, nowMs - 9 * hourMs, 3]))).toMatchObject({ added: 1 });
    expect((await all(store))[a.join()]?.map(([, value]) => value)).toEqual([1, 3, 1]);
  });

  it("is in what summaries say at once, and when they are made again", async () => {
    const folder = tempFolder();
    const options = { tiers: usualTiers(), stagedSamples: 1000 };
    let store = await openHere(folder, options);
    const hourly = { stepMs: dayMs, rangeMs: dayMs, summary: { columns: ["count"], mostMs: hourMs } } as const;
    /** Samples by series, of how many entries. */
    const counts = async () => {
      const found: Record<string, [samples: number, entries: number]> = {};
      const selection = { ...everything, endMs: startMs + 4 * dayMs, hint: hourly };
      for await (const batch of store.select(selection, never)) {
        for (const { labels, times, coarse } of batch) {
          const summed = [...(coarse?.columns.count ?? [])].reduce((sum, count) => sum + count, 0);
          found[labels.join()] = [summed + times.length - (coarse?.entries ?? 0), times.length];
        }
      }
      return found;
    };
    await store.append(rows([a, nowMs, 1]));
    await store.backfill(rows(...line(a, startMs + minuteMs, 3 * 1440)));
    await store.maintain();
    const first = await counts();
    expect(first[a.join()]?.[0]).toBe(3 * 1440);
    expect(first[a.join()]?.[1]).toBeLessThan(100);
    await store.backfill(rows(...line(a, startMs + dayMs + 1000, 1440), ...line(b, startMs + dayMs, 100)));
    const samples = async () => Object.values(await counts()).map(([count]) => count);
    expect(await samples()).toEqual([4 * 1440, 100]);
    await store.close();
    store = await openHere(folder, options);
    expect(await samples()).toEqual([4 * 1440, 100]);
    // Full: what waits becomes layers, before the summaries are made again.
    await store.backfill(rows([b, startMs + dayMs + 500, 1]));
    expect((await store.stats()).headSamples).toBe(2);
    expect(await samples()).toEqual([4 * 1440, 101]);
    await store.maintain();
    expect(await samples()).toEqual([4 * 1440, 101]);
    expect((await counts())[a.join()]?.[1]).toBeLessThan(100);
    expect((await counts())[b.join()]?.[1]).toBeLessThan(4);
  });

  it("is there once when a crash left it in the log and in a block", async () => {
    const [folder, copy] = [tempFolder(), tempFolder()];
    let store = await openHere(folder);
    await store.append(rows([a, nowMs, 1]));
    const old = line(a, startMs, 3000);
    await store.backfill(rows(...old));
    cpSync(join(folder, "stage"), copy, { recursive: true });
    await store.maintain();
    expect(readdirSync(join(folder, "stage"))).toEqual([]);
    await store.close();
    cpSync(copy, join(folder, "stage"), { recursive: true });
    store = await openHere(folder);
    for (let round = 0; round < 2; round++) {
      expect((await all(store))[a.join()]).toEqual([...expected(old), [nowMs - startMs, 1]]);
      expect(await store.backfill(rows(...old))).toMatchObject({ same: 3000 });
      await store.maintain();
    }
    expect((await store.stats()).blockSamples).toBe(3000);
  });
});
