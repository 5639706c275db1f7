import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { startNode, tempFolder } from "#disk/fixture.ts";
import { labelsOf } from "../series/labels.ts";
import { openTsdb, type Tsdb } from "./tsdb.ts";

const never = new AbortController().signal;
const seriesCount = 20;
const perSeries = 10;
const spanMs = 30_000;
const options = { spanMs, daySpanMs: 4 * spanMs, outOfOrderMs: 10_000, stagedSamples: 5 * seriesCount * perSeries };
const startMs = Math.floor(Date.now() / 1e6 - 500) * 1e6;
const labels = Array.from({ length: seriesCount }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));

/** Where the nth batch begins: here and there in a thousand days. Text for the writer in another process, too. */
function beginOf(batch: number): number {
  return ((batch * 617) % 10_000) * 10;
}

function valueAt(nth: number, timeMs: number): number {
  return nth % 3 === 0 ? nth : nth % 3 === 1 ? timeMs / 100 : Math.sin(timeMs * nth);
}

/** How many samples there are of each batch; throws for one that is wrong. */
async function countBatches(store: Tsdb): Promise<Map<number, number>> {
  const batchAt = new Map(Array.from({ length: 10_000 }, (_, batch) => [beginOf(batch) / 10, batch]));
  const counts = new Map<number, number>();
  const selection = { matchers: [], startMs, endMs: startMs + 100_000_000 };
  for await (const found of store.select(selection, never)) {
    for (const series of found) {
      const nth = labels.findIndex((one) => one.join() === series.labels.join());
      for (const [i, timeMs] of series.times.entries()) {
        if (!Object.is(series.values[i], valueAt(nth, timeMs)))
          throw new Error(`${series.labels} is wrong at ${timeMs}`);
        const batch = batchAt.get(Math.floor((timeMs - startMs) / 10_000)) as number;
        counts.set(batch, (counts.get(batch) ?? 0) + 1);
      }
    }
  }
  return counts;
}

const rounds = Number(process.env.FED_BACKFILL_KILL_ROUNDS ?? 15);

it(`who is killed while he fills in old samples has lost none that were acknowledged, ${rounds} times`, {
  timeout: 300_000,
}, async () => {
  const folder = tempFolder();
  let next = 0;
  let mostBlocks = 0;
  for (let round = 0; round < rounds; round++) {
    const writer = startNode(`
      const { openTsdb } = await import(here + "../engine/tsdb/tsdb.ts");
      const { systemClock } = await import(here + "../base/clock.ts");
      const valueAt = ${valueAt};
      const beginOf = ${beginOf};
      const labels = ${JSON.stringify(labels)};
      const store = await openTsdb(${JSON.stringify(folder)}, { ...${JSON.stringify(options)}, clock: systemClock });
      await store.append({ labels: [["now", "1"]], times: Float64Array.of(Date.now()), values: Float64Array.of(1) });
      for (let batch = ${next}; ; batch++) {
        const rows = labels.flatMap((one, nth) => Array.from({ length: ${perSeries} }, (_, i) => ({
          one, nth, timeMs: ${startMs} + beginOf(batch) * 1000 + i * 1000,
        })));
        const { added, same } = await store.backfill({
          labels: rows.map(({ one }) => one),
          times: Float64Array.from(rows, ({ timeMs }) => timeMs),
          values: Float64Array.from(rows, ({ nth, timeMs }) => valueAt(nth, timeMs)),
        });
        if (added + same !== rows.length) throw new Error("refused");
        process.stdout.write(batch + "\\n");
        if (batch % 7 === 0) void store.maintain();
      }`);
    let acked = Number(await writer.line());
    // After so many batches, however fast the machine is, and then at any moment of the next one.
    for (let left = Math.floor(Math.random() * 16); left > 0; left--) acked = Number(await writer.line());
    const reading = (async () => {
      for (;;) acked = Number(await writer.line());
    })().catch(() => {});
    await delay(Math.random() * 20);
    await writer.kill();
    await reading;
    const store = await openTsdb(folder, { ...options, clock: systemClock });
    const counts = await countBatches(store);
    const { damage, blocks } = await store.stats();
    await store.close();
    expect(damage).toEqual([]);
    for (let batch = 0; batch <= acked; batch++) expect(counts.get(batch)).toBe(seriesCount * perSeries);
    // What was not acknowledged is there wholly or not at all.
    expect([undefined, seriesCount * perSeries]).toContain(counts.get(acked + 1));
    expect(Math.max(...counts.keys())).toBeLessThanOrEqual(acked + 1);
    next = acked + 1;
    mostBlocks = Math.max(mostBlocks, blocks.length);
  }
  expect(next).toBeGreaterThan(rounds * 3);
  // Else the kills never came near a block that is written or merged.
  expect(mostBlocks).toBeGreaterThan(rounds);
  expect(readdirSync(join(folder, "block")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

/** A mount of our own needs rights that not every machine gives. */
const ownMount = (script: string) => ["unshare", ["--map-root-user", "--mount", "sh", "-ec", script]] as const;
const canMount = (() => {
  const [command, args] = ownMount("mount -t tmpfs none /mnt");
  return spawnSync(command, args).status === 0;
})();

it.skipIf(!canMount)("a full disk refuses old samples, loses none, and takes all again when there is room", () => {
  const folder = tempFolder();
  const code = `
    const { openTsdb } = await import(${JSON.stringify(new URL("./tsdb.ts", import.meta.url).href)});
    const { systemClock } = await import(${JSON.stringify(new URL("../../base/clock.ts", import.meta.url).href)});
    const { rmSync, writeFileSync } = await import("node:fs");
    const folder = ${JSON.stringify(folder)};
    const options = { clock: systemClock, stagedSamples: 5_000 };
    const store = await openTsdb(folder + "/store", options);
    const startMs = Date.now() - 50 * 86_400_000;
    const labels = Array.from({ length: 50 }, (_, nth) => ["nth", String(nth)]);
    const batch = (i) => ({ labels, times: new Float64Array(50).fill(startMs + i * 1000), values: Float64Array.from(labels, Math.random) });
    const count = async (store) => {
      let samples = 0;
      const all = { matchers: [], startMs: 0, endMs: Date.now() - 86_400_000 };
      for await (const found of store.select(all, new AbortController().signal)) for (const { times } of found) samples += times.length;
      return samples;
    };
    await store.append({ labels: [["now", "1"]], times: Float64Array.of(Date.now()), values: Float64Array.of(1) });
    await store.backfill(batch(0));
    let i = 0;
    let fault, last;
    try { writeFileSync(folder + "/filler", new Uint8Array(1e7)); } catch {}
    try { for (i = 1; i < 5000; i++) await store.backfill(last = batch(i)); } catch ({ code, message, hint }) { fault = { code, message, hint }; }
    const full = await count(store);
    const again = await store.backfill(batch(i + 1)).then(() => "taken", ({ code }) => code);
    const maintained = await store.maintain().then(() => "done", ({ code }) => code);
    rmSync(folder + "/filler");
    const retried = await store.backfill(last);
    const more = await store.backfill(batch(i + 2));
    const before = await count(store);
    await store.maintain();
    await store.close();
    const reopened = await openTsdb(folder + "/store", options);
    const after = await count(reopened);
    const { damage, trouble } = await reopened.stats();
    await reopened.close();
    process.stdout.write(JSON.stringify({ fault, i, full, again, maintained, retried, more, before, after, damage, trouble }));`;
  const [command, args] = ownMount(`mount -t tmpfs -o size=1m none '${folder}'; exec "$0" --input-type=module -e "$1"`);
  const run = spawnSync(command, [...args, process.execPath, code], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  const out = JSON.parse(run.stdout);
  expect(out.fault).toMatchObject({ code: "unreachable", message: expect.stringContaining("the disk is full") });
  expect([out.again, out.maintained]).toEqual(["unreachable", "unreachable"]);
  // What was refused for want of room in the log is answered already; what came when the memory was full is not taken.
  expect([out.i * 50, (out.i + 1) * 50]).toContain(out.full);
  expect(out.retried.added + out.retried.same).toBe(50);
  expect(out.more).toMatchObject({ added: 50 });
  expect([out.before, out.after]).toEqual([(out.i + 2) * 50, (out.i + 2) * 50]);
  expect(out).toMatchObject({ damage: [] });
  expect(out.trouble).toBeUndefined();
});
