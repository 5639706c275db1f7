import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { labelsOf } from "../series/labels.ts";
import { readPage } from "./block.ts";
import { type Damage, writeWhole } from "./file.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "./tsdb.ts";

const startMs = 1_700_006_400_000;
const hourMs = 3_600_000;
const spanMs = 2 * hourMs;
const a = labelsOf({ __name__: "up", job: "a" });

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-tsdb-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openHere(folder: string, options: Partial<TsdbOptions> = {}): Promise<Tsdb> {
  const store = await openTsdb(folder, { clock: handClock(startMs + 1000 * hourMs), daySpanMs: spanMs, ...options });
  onTestFinished(() => store.close());
  return store;
}

const one = (timeMs: number) => ({ labels: [a], times: Float64Array.of(timeMs), values: Float64Array.of(1) });

async function countSamples(store: Tsdb): Promise<number> {
  const everything = { matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER };
  let count = 0;
  for await (const batch of store.select(everything, new AbortController().signal)) {
    for (const { times } of batch) count += times.length;
  }
  return count;
}

/** A store with an hour's sample in each of 60 hours, 58 of them in blocks; closed. */
async function writeBlocks(folder: string): Promise<void> {
  const store = await openHere(folder);
  for (let hour = 0; hour < 60; hour++) await store.append(one(startMs + hour * hourMs));
  await store.maintain();
  await store.close();
}

describe("a store whose blocks are removed meanwhile", () => {
  it("answers a query that began before", async () => {
    const folder = tempFolder();
    await writeBlocks(folder);
    const store = await openHere(folder, { retainBytes: 1_000 });
    const [counted] = await Promise.all([countSamples(store), store.maintain()]);
    expect(counted).toBeGreaterThan(0);
    expect((await store.stats()).damage).toEqual([]);
  });

  it("tells its figures", async () => {
    const folder = tempFolder();
    await writeBlocks(folder);
    const store = await openHere(folder, { retainBytes: 1_000 });
    const [stats] = await Promise.all([store.stats(), store.maintain()]);
    expect(stats.blocks.length).toBeGreaterThan(0);
    expect(stats.damage).toEqual([]);
  });
});

describe("a store that a disk has lost something of", () => {
  it("answers the rest and names a block that is gone", async () => {
    const folder = tempFolder();
    await writeBlocks(folder);
    const store = await openHere(folder);
    const gone = join(folder, "block", readdirSync(join(folder, "block")).sort()[3] as string);
    rmSync(gone);
    expect(await countSamples(store)).toBe(58);
    expect(await store.verify()).toEqual([{ file: gone, what: "it cannot be read (ENOENT)" }]);
  });

  it("names a page that the disk does not read", async () => {
    const broken = { read: () => Promise.reject(Object.assign(new Error("i/o error"), { code: "EIO" })) };
    const file = { path: "/x/1-2.block", startMs: 1, endMs: 2, layer: 0, sizeBytes: 100 };
    const found: Damage[] = [];
    const entry = { at: 0, sizeBytes: 50, samples: 3, count: 1, column: undefined };
    const page = await readPage(
      broken as unknown as FileHandle,
      file,
      entry,
      () => [a, a],
      (one) => found.push(one),
    );
    expect(page).toBeUndefined();
    expect(found[0]?.what).toContain("bytes 0 to 50 are damaged: 1 series");
  });
});

describe("a store that cannot write a block", () => {
  it("goes on where a write took a part only", async () => {
    const disk = new Uint8Array(10);
    const write = (data: Uint8Array, from: number, sizeBytes: number, at: number) => {
      const bytesWritten = Math.min(3, sizeBytes);
      disk.set(data.subarray(from, from + bytesWritten), at);
      return Promise.resolve({ bytesWritten });
    };
    await writeWhole({ write } as unknown as FileHandle, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 1);
    expect([...disk]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
  });

  it("removes what is too old all the same", async () => {
    const folder = tempFolder();
    const clock = handClock(startMs + 10 * hourMs);
    const store = await openHere(folder, { clock, retainMs: 100 * hourMs });
    for (let hour = 0; hour < 10; hour++) await store.append(one(startMs + hour * hourMs));
    await store.maintain();
    const before = readdirSync(join(folder, "block"));
    expect(before.length).toBe(4);
    const blocker = join(folder, "block", `${startMs + 8 * hourMs}-${startMs + 10 * hourMs}.block.tmp`);
    mkdirSync(blocker);
    await clock.turn(hourMs);
    await store.append(one(startMs + 11 * hourMs));
    await clock.turn(200 * hourMs);
    await expect(store.maintain()).rejects.toThrow("cannot write");
    expect(readdirSync(join(folder, "block")).filter((name) => before.includes(name))).toEqual([]);
    rmSync(blocker, { recursive: true });
    await store.maintain();
    expect((await store.stats()).headSamples).toBe(1);
  });
});

describe("a store that is closed while old samples come", () => {
  it("writes nothing once it has given the folder back", async () => {
    const folder = tempFolder();
    const store = await openHere(folder);
    await store.append(one(startMs + 100 * hourMs));
    await store.maintain();
    const count = 20_000;
    const labels = Array.from({ length: count }, (_, i) => labelsOf({ __name__: "x", n: `${i}` }));
    const times = new Float64Array(count).fill(startMs);
    const ends: string[] = [];
    const filling = store.backfill({ labels, times, values: new Float64Array(count) }).then(
      () => ends.push("filled"),
      () => ends.push("refused"),
    );
    await store.close();
    ends.push("closed");
    await filling;
    expect(ends.at(-1)).toBe("closed");
    const open = readdirSync("/proc/self/fd").map((number) => pathOf(number));
    expect(open.filter((path) => path.startsWith(folder))).toEqual([]);
  });
});

function pathOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}

describe("what a store says it has in memory", () => {
  it("is what is left after a removal, also when that is sealed", async () => {
    const store = await openHere(tempFolder());
    for (let i = 0; i < 100; i++) await store.append(one(startMs + i * 10_000));
    await store.delete({ matchers: [], startMs: startMs + 200_000, endMs: Number.MAX_SAFE_INTEGER });
    expect((await store.stats()).headSamples).toBe(20);
    await store.append(one(startMs + 10 * hourMs));
    await store.maintain();
    expect((await store.stats()).headSamples).toBe(1);
  });
});
