import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "#base/clock.ts";
import { type Child, startNode } from "#disk/fixture.ts";
import { labelsOf } from "../series/labels.ts";
import { openTsdb, type Tsdb } from "./tsdb.ts";

const never = new AbortController().signal;
const seriesCount = 20;
const spanMs = 30_000;
const tiers = [{ stepMs: 10_000 }, { stepMs: 60_000 }];
const daySpanMs = 4 * spanMs;
const options = { clock: systemClock, spanMs, daySpanMs, outOfOrderMs: 10_000, stagedSamples: 1000, tiers };
const startMs = Math.floor(Date.now() / 1e6 - 500) * 1e6;
const labels = Array.from({ length: seriesCount }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));

/** What a series has at a time; text for the writer in another process, too. */
function valueAt(nth: number, timeMs: number): number {
  return nth % 3 === 0 ? nth : nth % 3 === 1 ? timeMs / 100 : Math.sin(timeMs * nth);
}

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-tsdb-crash-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Checks that what is answered is right; returns how many samples, and the first time from which on a series has none. */
async function check(
  store: Tsdb,
): Promise<{ readonly samples: number; readonly whole: boolean; readonly endMs: number }> {
  let samples = 0;
  const ends: number[] = [];
  for await (const batch of store.select({ matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER }, never)) {
    for (const series of batch) {
      const nth = labels.findIndex((one) => one.join() === series.labels.join());
      for (const [i, timeMs] of series.times.entries()) {
        if (!Object.is(series.values[i], valueAt(nth, timeMs)))
          throw new Error(`${series.labels} is wrong at ${timeMs}`);
      }
      samples += series.times.length;
      ends.push(startMs + series.times.length * 1000);
      if (series.times.at(-1) !== startMs + (series.times.length - 1) * 1000) ends.push(Number.NaN);
    }
  }
  const endMs = Math.min(...ends, ends.length < seriesCount ? startMs : Infinity);
  return { samples, endMs, whole: ends.length === seriesCount && ends.every((one) => one === endMs) };
}

/** How many samples summaries tell of, with those that are not summarised yet. */
async function summarised(store: Tsdb): Promise<number> {
  const hint = { stepMs: 0, rangeMs: 0, summary: { columns: ["count" as const], mostMs: 60_000 } };
  let count = 0;
  for await (const batch of store.select({ matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER, hint }, never)) {
    for (const { times, values, coarse } of batch) {
      const entries = coarse?.entries ?? 0;
      count += times.length - entries + values.subarray(0, entries).reduce((sum, one) => sum + one, 0);
    }
  }
  return count;
}

/** FED_PROOF: as many as were promised. Each run takes other moments, so what few rounds miss the next ones find. */
const rounds = Number(process.env.FED_KILL_ROUNDS ?? (process.env.FED_PROOF === "1" ? 300 : 90));
/** Side by side, each in a folder of its own: a round is mostly the start of a process. */
const lanes = 3;

describe("a writer that is killed", () => {
  it(`has lost nothing that it acknowledged, ${rounds} times`, { timeout: 600_000 }, async () => {
    const folders = Array.from({ length: lanes }, tempFolder);
    await Promise.all(folders.map((folder) => killOften(folder, Math.ceil(rounds / lanes))));
  });
});

function startWriter(folder: string, nextMs: number): Child {
  return startNode(`
    const { openTsdb } = await import(here + "../engine/tsdb/tsdb.ts");
    const { systemClock } = await import(here + "../base/clock.ts");
    const valueAt = ${valueAt};
    const labels = ${JSON.stringify(labels)};
    const store = await openTsdb(${JSON.stringify(folder)}, { ...${JSON.stringify(options)}, clock: systemClock });
    for (let timeMs = ${nextMs}; ; timeMs += 1000) {
      const times = new Float64Array(labels.length).fill(timeMs);
      const values = Float64Array.from(labels, (_, nth) => valueAt(nth, timeMs));
      const { added, same } = await store.append({ labels, times, values });
      if (added + same !== labels.length) throw new Error("refused");
      process.stdout.write(timeMs + "\\n");
    }`);
}

async function killOften(folder: string, times: number): Promise<void> {
  let nextMs = startMs;
  for (let round = 0; round < times; round++) {
    const writer = startWriter(folder, nextMs);
    let ackedMs = Number(await writer.line());
    const reading = (async () => {
      for (;;) ackedMs = Number(await writer.line());
    })().catch(() => {});
    await delay(Math.random() * 120);
    await writer.kill();
    await reading;
    const store = await openTsdb(folder, options);
    const { endMs, whole, samples } = await check(store);
    // Also on a slow machine, where the writer seldom lives long enough to make a summary.
    if (round % 8 === 7) await store.maintain();
    if (round % 4 === 3) expect(await summarised(store)).toBe(samples);
    const { damage } = await store.stats();
    await store.close();
    expect(damage).toEqual([]);
    expect(endMs).toBeGreaterThan(ackedMs);
    // A batch that was not acknowledged is there wholly or not at all.
    expect(whole).toBe(true);
    nextMs = endMs;
  }
  expect(nextMs).toBeGreaterThan(startMs + times * 1000);
  // Else the kills never came near a seal or a compaction.
  expect(readdirSync(join(folder, "block")).length).toBeGreaterThan(times / 20);
  // A day is summarised once the next one has begun.
  if (nextMs > startMs + 3 * daySpanMs) {
    const store = await openTsdb(folder, options);
    await store.maintain();
    const { tiers } = await store.stats();
    const { samples } = await check(store);
    const told = await summarised(store);
    await store.close();
    expect(tiers.map(({ files }) => files > 0)).toEqual([true, true]);
    expect(told).toBe(samples);
  }
}

describe("damaged files", () => {
  it("cost what they held, which is named; the rest is answered, and never a wrong value", {
    timeout: 300_000,
  }, async () => {
    const sound = tempFolder();
    let store = await openTsdb(sound, options);
    for (let timeMs = startMs; timeMs < startMs + 300_000; timeMs += 1000) {
      const times = new Float64Array(seriesCount).fill(timeMs);
      await store.append({ labels, times, values: Float64Array.from(labels, (_, nth) => valueAt(nth, timeMs)) });
    }
    await store.maintain();
    // Old samples: in a block, in a layer over it, and on their way.
    for (const shiftMs of [0, 250, 500]) {
      const times = Float64Array.from(
        { length: 50 * seriesCount },
        (_, i) => startMs - 100_000 + (i % 50) * 1000 + shiftMs,
      );
      const values = Float64Array.from(times, (timeMs, i) => valueAt(Math.floor(i / 50), timeMs));
      const rows = Array.from(times, (_, i) => labels[Math.floor(i / 50)] as readonly string[]);
      expect((await store.backfill({ labels: rows, times, values })).added).toBe(1000);
    }
    const all = (await check(store)).samples;
    expect((await store.stats()).blocks.length).toBeGreaterThan(3);
    await store.close();
    expect(readdirSync(join(sound, "block")).some((name) => name.endsWith(".1.block"))).toBe(true);
    const files = ["block", "stage", "wal"].flatMap((name) =>
      readdirSync(join(sound, name))
        .map((file) => join(name, file))
        .sort(),
    );
    let lossy = 0;
    for (let round = 0; round < 130; round++) {
      const folder = tempFolder();
      cpSync(sound, folder, { recursive: true });
      const file = files[round % files.length] as string;
      const size = statSync(join(folder, file)).size;
      const at = Math.floor(Math.random() * size);
      const cut = round % 5 === 4;
      if (cut) truncateSync(join(folder, file), at);
      else {
        const data = readFileSync(join(folder, file));
        data[at] = (data[at] as number) ^ (1 << (round & 7));
        writeFileSync(join(folder, file), data);
      }
      store = await openTsdb(folder, options);
      const { samples } = await check(store);
      const damage = await store.verify();
      const log = files.filter((one) => dirname(one) === dirname(file));
      const newest = dirname(file) !== "block" && file === log.at(-1);
      if (samples < all) {
        lossy++;
        // A commit that ends with its file was never acknowledged: nobody misses it.
        const torn = newest && damage.length === 0;
        if (!torn)
          expect(damage.map((one) => one.file)).toContainEqual(expect.stringContaining(file.split("/")[1] as string));
      }
      expect(samples).toBeGreaterThan(0);
      const times = Float64Array.of(startMs + 300_000);
      const more = {
        labels: [labels[0] as readonly string[]],
        times,
        values: Float64Array.of(valueAt(0, startMs + 300_000)),
      };
      expect((await store.append(more)).added).toBe(1);
      if (round % 6 < 2) await store.maintain();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
    expect(lossy).toBeGreaterThan(10);
  });

  it("names the missing end of a file, also when it was cut between two commits", async () => {
    const folder = tempFolder();
    const append = async (store: Tsdb, timeMs: number) => {
      const times = new Float64Array(seriesCount).fill(timeMs);
      await store.append({ labels, times, values: Float64Array.from(labels, (_, nth) => valueAt(nth, timeMs)) });
    };
    let store = await openTsdb(folder, options);
    await append(store, startMs);
    // What is closed from now on is written into the next file's first record.
    await store.maintain();
    const file = join(folder, "wal", "0000000002.wal");
    await append(store, startMs + 1000);
    const { size } = statSync(file);
    await append(store, startMs + 2000);
    await store.close();
    store = await openTsdb(folder, options);
    await append(store, startMs + 3000);
    await store.close();
    expect(statSync(file).size).toBeGreaterThan(size);
    truncateSync(file, size);
    store = await openTsdb(folder, options);
    expect((await store.stats()).damage).toMatchObject([
      { what: expect.stringMatching(/^its last \d+ bytes are missing$/) },
    ]);
    expect((await check(store)).samples).toBe(3 * seriesCount);
    await store.close();
  });
});
