import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { labelsOf } from "../series/labels.ts";
import type { Matcher } from "../series/matcher.ts";
import { seriesForMemory } from "./limit.ts";
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

describe("how a store commits", () => {
  it("waits for others as long as it is told, and writes what came as one record", async () => {
    const clock = handClock(startMs + hourMs);
    const folder = tempFolder();
    const store = await openHere(folder, { clock, commitWindowMs: 200 });
    let done = 0;
    const appends = Array.from({ length: 20 }, (_, i) => store.append(rows([a, startMs + i, i])).then(() => done++));
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    expect(done).toBe(0);
    await clock.turn(200);
    await Promise.all(appends);
    expect(done).toBe(20);
    const { walBytes } = await store.stats();
    // A record of its own for each would be 20 × 40 bytes.
    expect(walBytes).toBeLessThan(300);
    expect((await all(store))[a.join()]?.length).toBe(20);
    // Closing does not wait for the window.
    const last = store.append(rows([a, startMs + 1000, 1]));
    await store.close();
    expect((await last).added).toBe(1);
  });

  it("keeps all in relaxed mode, too, and with spans of another length than before", async () => {
    const folder = tempFolder();
    const lengths = [
      { spanMs: 2 * hourMs, daySpanMs: 8 * hourMs },
      { spanMs: 5 * hourMs, daySpanMs: 25 * hourMs },
      { spanMs: 3 * hourMs, daySpanMs: 6 * hourMs },
    ];
    let count = 0;
    for (let round = 0; round < 9; round++) {
      const store = await openHere(folder, { durability: "relaxed", ...lengths[round % 3] });
      for (let i = 0; i < 430; i++, count++) await store.append(rows([a, startMs + count * minuteMs, count]));
      await store.maintain();
      expect((await all(store))[a.join()]).toEqual(Array.from({ length: count }, (_, i) => [i * minuteMs, i]));
      const late = startMs + (count - 100) * minuteMs;
      expect((await all(store, [], late))[a.join()]?.length).toBe(100);
      expect(await store.verify()).toEqual([]);
      expect(await store.stats()).toMatchObject({ metrics: [{ name: "up", series: 1 }], trouble: undefined });
      await store.close();
    }
  });
});

describe("a day's block", () => {
  it("stays a day's block when days become shorter", async () => {
    const folder = tempFolder();
    const dayMs = Math.ceil(startMs / (24 * hourMs)) * 24 * hourMs;
    const fill = rows(...Array.from({ length: 30 }, (_, i) => [a, dayMs + i * hourMs, i] as const));
    let store = await openHere(folder);
    await store.append(fill);
    await store.maintain();
    expect((await store.stats()).blocks[0]).toMatchObject({ startMs: dayMs, endMs: dayMs + 24 * hourMs, samples: 24 });
    await store.close();
    store = await openHere(folder, { daySpanMs: 6 * hourMs });
    await store.maintain();
    const found = await all(store, [], dayMs + 20 * hourMs, dayMs + 23 * hourMs);
    expect(found[a.join()]?.map(([, value]) => value)).toEqual([20, 21, 22, 23]);
  });
});

describe("what a store refuses", () => {
  it("names samples that come too late, too early, twice with other values, or at no time", async () => {
    const clock = handClock(startMs + 12 * hourMs);
    const store = await openHere(tempFolder(), { clock });
    await store.append(rows([a, startMs, 1], [a, startMs + 5 * hourMs, 2]));
    const answer = await store.append(
      rows(
        [a, startMs + 5 * hourMs, 2],
        [a, startMs + 5 * hourMs, 3],
        [a, startMs + 4 * hourMs, 4],
        [a, startMs + 4 * hourMs, 5],
        [a, startMs + hourMs, 6],
        [b, startMs + 12 * hourMs + 11 * minuteMs, 7],
        [b, startMs + 5 * hourMs + 0.5, 8],
        [b, Number.NaN, 8],
      ),
    );
    expect(answer).toMatchObject({ added: 1, same: 1, refused: 6 });
    expect(answer.refusals.map(({ kind, row }) => [kind, row])).toEqual([
      ["other value", 1],
      ["other value", 3],
      ["too old", 4],
      ["too far ahead", 5],
      ["time", 6],
      ["time", 7],
    ]);
    expect(answer.refusals[0]?.message).toBe('up{job="a"} has another value at 2023-11-15T05:00:00.000Z already');
    expect(answer.refusals[2]?.message).toContain("times before 2023-11-15T04:00:00.000Z are closed");
    expect(await all(store)).toEqual({
      [a.join()]: [
        [0, 1],
        [4 * hourMs, 4],
        [5 * hourMs, 2],
      ],
    });
  });

  it("names labels that cannot be, and series beyond a tenant's share, and takes the others", async () => {
    const store = await openHere(tempFolder(), {
      limits: { seriesPerTenant: 2, labelsPerSeries: 3, nameBytes: 12, valueBytes: 10 },
    });
    const bad = [
      ["b", "1", "a", "1"],
      ["a", "1", "a", "2"],
      ["a", ""],
      [],
      ["a", "12345678901"],
      ["a", "1", "b", "1", "c", "1", "d", "1"],
      ["a", "\ud800"],
      ["a_name_of_13_", "1"],
      ["__name__", "12345678901"],
    ] as const;
    const answer = await store.append(rows(...bad.map((labels) => [labels, startMs, 1] as const), [a, startMs, 1]));
    expect(answer).toMatchObject({ added: 1, refused: bad.length });
    expect(answer.refusals.every(({ kind }) => kind === "labels")).toBe(true);
    expect(answer.refusals[5]?.message).toContain("it has 4 labels; 3 are allowed");
    expect(answer.refusals[7]?.message).toContain("the name a_name_of_13_… is longer than 12 bytes");
    expect(answer.refusals[8]?.message).toContain("the metric's name is longer than 10 bytes");
    const more = await store.append(rows([b, startMs, 1], [["z", "1"], startMs, 1], [a, startMs + 1, 1]));
    expect(more).toMatchObject({ added: 2, refused: 1 });
    expect(more.refusals[0]).toMatchObject({
      kind: "too many series",
      message: expect.stringContaining("2 active series"),
    });
    expect(await store.append(rows([["z", "1"], startMs, 1]), "another")).toMatchObject({ added: 1 });
  });

  it("removes from memory also what is in chunks already", async () => {
    const store = await openHere(tempFolder());
    for (let i = 0; i < 100; i++) await store.append(rows([a, startMs + i, i], [b, startMs + i, i]));
    await store.delete({ matchers: [{ name: "job", kind: "=", value: "a" }], startMs, endMs: startMs + 49 });
    await store.delete({ matchers: [{ name: "job", kind: "=", value: "b" }], startMs, endMs: startMs + 99 });
    await store.append(rows([b, startMs + 100, 1]));
    const kept = Array.from({ length: 50 }, (_, i) => [50 + i, 50 + i]);
    expect(await all(store)).toEqual({ [a.join()]: kept, [b.join()]: [[100, 1]] });
  });

  it("names series beyond what it has memory for, of whatever tenant, and keeps what is there", async () => {
    const folder = tempFolder();
    let store = await openHere(folder, { limits: { series: 2 } });
    await store.append(rows([a, startMs, 1]), "one");
    const answer = await store.append(rows([b, startMs, 1], [["z", "1"], startMs, 1], [a, startMs + 1, 1]), "two");
    expect(answer).toMatchObject({ added: 2, refused: 1 });
    const message = expect.stringMatching(/^{z="1"}: the store has 2 active series/);
    expect(answer.refusals).toEqual([{ kind: "too many series", row: 1, message }]);
    await store.close();
    // What was acknowledged comes back, whatever is allowed by then.
    store = await openHere(folder, { limits: { series: 1 } });
    expect(Object.keys(await all(store))).toEqual([a.join(), b.join()]);
    expect(await store.append(rows([b, startMs + 2, 1]))).toMatchObject({ added: 1 });
    expect([2 ** 29, 2 ** 33, 2 ** 40].map(seriesForMemory)).toEqual([71_582, 1_145_324, 2_000_000]);
  });

  it("takes nothing while the disk has little room, answers meanwhile, and goes on by itself", async () => {
    const clock = handClock(startMs);
    const disk = { freeBytes: 2 ** 30, sizeBytes: 2 ** 40 };
    const looks: string[] = [];
    const folder = tempFolder();
    const measureDisk = async (path: string) => {
      looks.push(path);
      return disk;
    };
    const store = await openHere(folder, { clock, measureDisk });
    for (let i = 0; i < 100; i++) await store.append(rows([a, startMs + i, i]));
    expect(looks).toEqual([folder]);
    disk.freeBytes = 2 ** 26 - 1;
    await clock.turn(5_000);
    // Who comes at the time of a look does not wait for it.
    await store.append(rows([a, startMs + 100, 100]));
    const refused = { code: "unreachable", message: expect.stringContaining("64 MiB left: no samples are taken") };
    await expect(store.append(rows([b, startMs, 1]))).rejects.toMatchObject(refused);
    await expect(store.append(rows([b, startMs, 1]))).rejects.toMatchObject(refused);
    await expect(store.backfill(rows([b, startMs - 40 * hourMs, 1]))).rejects.toMatchObject(refused);
    expect(looks.length).toBe(2);
    expect(Object.keys(await all(store))).toEqual([a.join()]);
    expect((await store.stats()).trouble).toContain("64 MiB left");
    disk.freeBytes = 2 ** 26;
    await clock.turn(500);
    expect(await store.append(rows([b, startMs, 1]))).toMatchObject({ added: 1 });
    expect((await store.stats()).trouble).toBeUndefined();
    // A hundredth of a small disk is enough.
    Object.assign(disk, { sizeBytes: 2 ** 24, freeBytes: 2 ** 18 });
    await clock.turn(5_000);
    await store.append(rows([a, startMs + 101, 101]));
    expect(await store.append(rows([b, startMs + 1, 1]))).toMatchObject({ added: 1 });
  });

  it("stops a query that reads too much, and one whose asker has gone", async () => {
    const store = await openHere(tempFolder(), { limits: { samplesPerQuery: 10, seriesPerQuery: 1 } });
    for (let i = 0; i < 11; i++) await store.append(rows([a, startMs + i, i], [b, startMs + i, i]));
    const job = (value: string): Matcher => ({ name: "job", kind: "=", value });
    await expect(all(store, [job("a")])).rejects.toMatchObject({ code: "limited" });
    await expect(all(store)).rejects.toMatchObject({ code: "limited", message: expect.stringContaining("series") });
    expect(await all(store, [job("a")], startMs, startMs + 9)).toHaveProperty(a.join());
    const gone = AbortSignal.abort(new Error("gone"));
    const selection = { matchers: [job("a")], startMs, endMs: startMs };
    await expect(store.select(selection, gone)[Symbol.asyncIterator]().next()).rejects.toThrow("gone");
    await expect(all(store, [{ name: "job", kind: "=~", value: "(" }])).rejects.toMatchObject({ code: "invalid" });
  });

  it("is opened once at a time, and not used after it was closed", async () => {
    const folder = tempFolder();
    const store = await openHere(folder);
    await expect(openHere(folder)).rejects.toMatchObject({ code: "conflict" });
    await store.close();
    await expect(store.append(rows([a, startMs, 1]))).rejects.toMatchObject({ code: "internal" });
    await (await openHere(folder)).close();
  });
});

describe("what a store forgets", () => {
  const fill = async (store: Tsdb, hours: number) => {
    for (let i = 0; i < hours * 60; i++) await store.append(rows([a, startMs + i * minuteMs, Math.sin(i)]));
    await store.maintain();
  };

  it("removes the oldest blocks beyond its size, and what is older than it keeps", async () => {
    const clock = handClock(startMs + 12 * hourMs);
    const folder = tempFolder();
    let store = await openHere(folder, { clock, retainBytes: 4000 });
    await fill(store, 12);
    const { blocks, blockBytes } = await store.stats();
    expect(blockBytes).toBeLessThanOrEqual(4000);
    expect(blocks.length).toBeGreaterThan(0);
    expect(blocks[0]?.startMs).toBeGreaterThan(startMs);
    await store.close();
    store = await openHere(folder, { clock, retainMs: 3 * hourMs });
    expect((await all(store))[a.join()]?.[0]?.[0]).toBe(9 * hourMs);
    await clock.turn(6 * hourMs);
    expect(await all(store)).toEqual({});
    await store.maintain();
    expect((await store.stats()).blocks).toEqual([]);
  });

  it("deletes in memory and on the disk, for good, and takes the time again where it is still open", async () => {
    const folder = tempFolder();
    let store = await openHere(folder);
    await fill(store, 7);
    await store.append(rows([b, startMs + 7 * hourMs, 5]));
    const matchers: readonly Matcher[] = [{ name: "job", kind: "=", value: "a" }];
    await store.delete({ matchers, startMs: startMs + hourMs, endMs: Number.MAX_SAFE_INTEGER });
    const left = await all(store);
    expect(left[a.join()]?.length).toBe(60);
    expect(left[b.join()]).toEqual([[7 * hourMs, 5]]);
    expect(await store.append(rows([a, startMs + 6.5 * hourMs, 9]))).toMatchObject({ added: 1 });
    await store.close();
    store = await openHere(folder);
    const again = await all(store);
    expect(again[a.join()]?.length).toBe(61);
    expect(again[a.join()]?.at(-1)).toEqual([6.5 * hourMs, 9]);
    await store.delete({ matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER });
    expect(await all(store)).toEqual({});
    expect(await store.stats()).toMatchObject({ activeSeries: 0, headSamples: 0, blockSamples: 0 });
  });
});

describe("what a store keeps in memory", () => {
  it("is only what is not in blocks: a series that has stopped is forgotten", async () => {
    const store = await openHere(tempFolder());
    await store.append(rows([a, startMs, 1]));
    for (let i = 0; i < 8; i++) await store.append(rows([b, startMs + i * hourMs, i]));
    await store.maintain();
    expect(await store.stats()).toMatchObject({ activeSeries: 1, headSamples: 2, blockSamples: 7 });
    expect(Object.keys(await all(store))).toHaveLength(2);
  });

  it("may be a very long column: it becomes several pages of one block", async () => {
    const store = await openHere(tempFolder());
    const count = 600_000;
    const times = Float64Array.from({ length: count }, (_, i) => startMs + i * 100);
    const values = Float64Array.from(times, (_, i) => i % 100);
    await store.append({ labels: new Array(count).fill(a), times, values });
    await store.append(rows([b, startMs + 48 * hourMs, 1]));
    await store.maintain();
    expect(await store.stats()).toMatchObject({ headSamples: 1, blockSamples: count });
    const found = (await all(store))[a.join()] ?? [];
    expect(found.length).toBe(count);
    expect(found.every(([time, value], i) => time === i * 100 && value === i % 100)).toBe(true);
  });
});

describe("who asks while the store works", () => {
  it("sees what was there when he began", async () => {
    const store = await openHere(tempFolder(), { limits: {} });
    for (let i = 0; i < 400; i++) {
      const time = startMs + i * minuteMs;
      await store.append(rows([a, time, i], [b, time, i]));
    }
    const reading = store
      .select({ matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER }, never)
      [Symbol.asyncIterator]();
    const asked = reading.next();
    await store.append(rows([a, startMs + 40 * hourMs, 1]));
    await store.maintain();
    const { value } = await asked;
    const counts = value.map((series: { readonly times: Float64Array }) => series.times.length);
    expect(counts[0] - counts[1]).toBeLessThanOrEqual(1);
    expect(counts[1]).toBe(400);
  });

  it("finds names and values", async () => {
    const store = await openHere(tempFolder());
    await store.append(rows([a, startMs, 1], [b, startMs + hourMs, 1]));
    const whole = { matchers: [], startMs, endMs: startMs + hourMs };
    expect(await store.labelNames(whole, never)).toEqual(["__name__", "job"]);
    expect(await store.labelValues("job", whole, never)).toEqual(["a", "b"]);
    expect(await store.labelValues("job", { ...whole, endMs: startMs }, never)).toEqual(["a"]);
    expect(await store.labelValues("none", whole, never)).toEqual([]);
  });
});

/** A mount of our own needs rights that not every machine gives. */
const ownMount = (script: string) => ["unshare", ["--map-root-user", "--mount", "sh", "-ec", script]] as const;
const canMount = (() => {
  const [command, args] = ownMount("mount -t tmpfs none /mnt");
  return spawnSync(command, args).status === 0;
})();

describe("a full disk", () => {
  it.skipIf(!canMount)("refuses appends and answers queries, and takes all again when there is room", () => {
    const folder = tempFolder();
    const code = `
      const { openTsdb } = await import(${JSON.stringify(new URL("./tsdb.ts", import.meta.url).href)});
      const { systemClock } = await import(${JSON.stringify(new URL("../../base/clock.ts", import.meta.url).href)});
      const { rmSync, writeFileSync } = await import("node:fs");
      const folder = ${JSON.stringify(folder)};
      const store = await openTsdb(folder + "/store", { clock: systemClock });
      const startMs = Date.now() - 60_000;
      const labels = Array.from({ length: 50 }, (_, nth) => ["nth", String(nth)]);
      const batch = (i) => ({ labels, times: new Float64Array(50).fill(startMs + i), values: Float64Array.from(labels, Math.random) });
      const count = async () => {
        let samples = 0;
        const all = { matchers: [], startMs: 0, endMs: 1e15 };
        for await (const batch of store.select(all, new AbortController().signal)) for (const { times } of batch) samples += times.length;
        return samples;
      };
      await store.append(batch(0));
      let i = 0;
      try { writeFileSync(folder + "/filler", new Uint8Array(1e7)); } catch {}
      let fault, last;
      try { for (i = 1; i < 5000; i++) await store.append(last = batch(i)); } catch ({ code, message, hint }) { fault = { code, message, hint }; }
      const full = await count();
      const again = await store.append(batch(i + 1)).then(() => "taken", ({ code }) => code);
      rmSync(folder + "/filler");
      const retried = await store.append(last);
      const more = await store.append(batch(i + 2));
      const before = await count();
      await store.close();
      const reopened = await openTsdb(folder + "/store", { clock: systemClock });
      const stats = await reopened.stats();
      await reopened.close();
      process.stdout.write(JSON.stringify({ fault, i, full, again, retried, more, before, after: stats.headSamples, damage: stats.damage }));`;
    const [command, args] = ownMount(
      `mount -t tmpfs -o size=1m none '${folder}'; exec "$0" --input-type=module -e "$1"`,
    );
    const run = spawnSync(command, [...args, process.execPath, code], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const out = JSON.parse(run.stdout);
    expect(out.fault).toMatchObject({ code: "unreachable", message: expect.stringContaining("the disk is full") });
    expect(out.full).toBe((out.i + 1) * 50);
    expect(out.again).toBe("unreachable");
    expect(out.retried).toMatchObject({ added: 0, same: 50 });
    expect(out.more).toMatchObject({ added: 50 });
    expect([out.before, out.after]).toEqual([(out.i + 2) * 50, (out.i + 2) * 50]);
    expect(out.damage).toEqual([]);
  });
});
