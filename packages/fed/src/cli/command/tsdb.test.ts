import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { labelsOf } from "#engine/series/labels.ts";
import { openTsdb } from "#engine/tsdb/tsdb.ts";
import { type Desk, makeDesk } from "../command.scene.ts";
import { gives } from "../hub.scene.ts";

const minuteMs = 60_000;
const startMs = Date.parse("2026-11-20T00:00:00Z");
const samples = 301;

/** A person whose hub kept five hours of two series, of which two blocks were made, and ended. */
async function makeStore(): Promise<Desk & { readonly folder: string }> {
  const desk = await makeDesk({}, { here: false });
  const folder = join(desk.home, ".local/share/fed/metrics");
  const store = await openTsdb(folder, { clock: handClock(startMs + 600 * minuteMs) });
  const labels = ["a", "b"].map((job) => labelsOf({ __name__: "up", job }));
  for (let i = 0; i < samples; i++) {
    const atMs = startMs + i * minuteMs;
    await store.append({ labels, times: Float64Array.of(atMs, atMs), values: Float64Array.of(i, Math.sqrt(i)) });
  }
  await store.maintain();
  await store.close();
  return { ...desk, folder };
}

test("stats: series, samples, bytes per sample and the metrics that cost most", async () => {
  const { fed, folder } = await makeStore();
  const { code, out } = await fed("tsdb", "stats");
  expect(code).toBe(0);
  expect(out).toContain(`store             ${folder}\n`);
  expect(out).toMatch(/^samples +602$/m);
  expect(out).toMatch(/^in blocks +480 samples in 2 blocks$/m);
  expect(out).toMatch(/^bytes per sample +[0-9]+\.[0-9]{2}$/m);
  expect(out).toMatch(/METRIC +SERIES +SAMPLES +SIZE +BYTES\/SAMPLE\nup +2 +480 +\d[^\n]* +\d\.\d\d\n$/);
  const data = JSON.parse((await fed("tsdb", "stats", folder, "--json")).out) as Record<string, unknown>;
  expect(data).toMatchObject({ folder, samples: 602, blockSamples: 480, bytesPerSample: expect.any(Number) });
});

test("stats: of a hub that runs, by asking it", async () => {
  const stats = { activeSeries: 7, headSamples: 70, walBytes: 2048, blockBytes: 1000, blockSamples: 500 };
  const blocks = [{ startMs, endMs: startMs + 120 * minuteMs, sizeBytes: 1000, samples: 500 }];
  const metric = { name: "up", series: 7, samples: 400, sizeBytes: 500 };
  const tier = { stepMs: 300_000, files: 2, sizeBytes: 3072, summaries: 9 };
  const more = {
    blocks,
    metrics: [metric],
    metricsOfBytes: 600,
    tiers: [tier],
    trouble: "the disk is full",
    damage: [],
  };
  const desk = await makeDesk({ "/api/v1/metric-store": () => gives({ ...stats, ...more }) });
  const { code, out } = await desk.fed("tsdb", "stats");
  expect(code).toBe(0);
  expect(out).toMatch(/^bytes per sample +2\.00$/m);
  expect(out).toContain("trouble the disk is full\n");
  expect(out).toMatch(/^by 5m +3\S* KiB of summaries in 2 files$/m);
  expect(out).toMatch(/^up +7 +400 +500 B +1\.25$/m);
  expect(out).toMatch(/^samples and size in the newest blocks: 600 B of 1000 B$/m);
  expect(JSON.parse((await desk.fed("tsdb", "stats", "--json")).out)).toMatchObject({ ...stats, samples: 570 });
  expect(await desk.fed("tsdb", "stats", "--hub", "http://127.0.0.1:1")).toMatchObject({ code: 7 });
});

test("verify: sound, then what is damaged by name, and the rest is there", async () => {
  const { fed, folder } = await makeStore();
  expect(await fed("tsdb", "verify")).toMatchObject({
    code: 0,
    out: "sound 2 blocks and the log, 602 samples: nothing is damaged\n",
  });
  const [name = ""] = readdirSync(join(folder, "block"));
  const path = join(folder, "block", name);
  const bytes = readFileSync(path);
  const middle = bytes.length >> 2;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const { code, out } = await fed("tsdb", "verify");
  expect(code).toBe(5);
  expect(out).toContain(`damaged ${path}: `);
  expect(out).toContain("1 place cannot be read");
  const { out: json } = await fed("tsdb", "verify", "--json");
  expect(JSON.parse(json)).toMatchObject({ sound: false, damage: [{ file: path }] });
});

/** Every file with its bytes and its time of change. */
function everythingIn(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return new Map(
    files.map((one) => {
      const path = join(one.parentPath, one.name);
      return [path, `${statSync(path).mtimeMs} ${readFileSync(path).toString("base64")}`];
    }),
  );
}

test("a look changes nothing: not the unfinished end of a log, nor a block's unfinished file, nor the lock of who holds it", async () => {
  const { fed, folder } = await makeStore();
  const newest = readdirSync(join(folder, "wal")).sort().at(-1) ?? "";
  const log = join(folder, "wal", newest);
  truncateSync(log, statSync(log).size - 3);
  writeFileSync(join(folder, "block", "1-2.block.tmp"), "half");
  const before = everythingIn(folder);
  for (const verb of ["stats", "verify"]) expect(await fed("tsdb", verb, folder)).toMatchObject({ code: 0 });
  expect(everythingIn(folder)).toEqual(before);
});

test("a store that a hub writes is looked into beside it", async () => {
  const { fed, folder } = await makeStore();
  const holder = await openTsdb(folder, { clock: handClock(startMs + 600 * minuteMs) });
  onTestFinished(() => holder.close());
  const labels = [labelsOf({ __name__: "up", job: "a" })];
  const one = (minute: number) => ({
    labels,
    times: Float64Array.of(startMs + minute * minuteMs),
    values: Float64Array.of(1),
  });
  await holder.append(one(samples));
  expect(await fed("tsdb", "verify", folder)).toMatchObject({ code: 0, out: expect.stringContaining("603 samples") });
  await holder.append(one(samples + 1));
  expect(await holder.stats()).toMatchObject({ damage: [], trouble: undefined });
});

test("none is made where none is, and two are not named at once", async () => {
  const { fed, folder, home } = await makeStore();
  for (const verb of ["stats", "verify"]) {
    expect(await fed("tsdb", verb, join(home, "nothing"))).toMatchObject({ code: 4 });
    expect(await fed("tsdb", verb, folder, "--data", home)).toMatchObject({ code: 2 });
  }
  expect(readdirSync(home)).toEqual([".local"]);
});
