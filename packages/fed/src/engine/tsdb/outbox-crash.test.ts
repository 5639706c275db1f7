import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { uncompress } from "snappyjs";
import { expect, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { startNode, tempFolder } from "#disk/fixture.ts";
import { readWriteRequest } from "../exposition/remote-write.ts";
import { labelsOf } from "../series/labels.ts";
import type { Parcel } from "./outbox.ts";
import { openTsdb } from "./tsdb.ts";

const spanMs = 30_000;
const options = {
  clock: systemClock,
  spanMs,
  daySpanMs: 4 * spanMs,
  outOfOrderMs: 10_000,
  outbox: { parcelSamples: 50 },
};
const startMs = Math.floor(Date.now() / 1e6 - 500) * 1e6;
const labels = Array.from({ length: 20 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));
const rounds = Number(process.env.FED_KILL_ROUNDS ?? 50) / 5;

/** Appends and sends on at the same time; says what was acknowledged (a) and what has come to the target (t). */
const writer = (folder: string, fromMs: number) => `
  const { openTsdb } = await import(here + "../engine/tsdb/tsdb.ts");
  const { systemClock } = await import(here + "../base/clock.ts");
  const { readWriteRequest } = await import(here + "../engine/exposition/remote-write.ts");
  const { uncompress } = (await import("node:module")).createRequire(here)("snappyjs");
  const { writeSync } = await import("node:fs");
  const labels = ${JSON.stringify(labels)};
  const store = await openTsdb(${JSON.stringify(folder)}, { ...${JSON.stringify(options)}, clock: systemClock });
  await store.outbox.follow(["far"]);
  (async () => {
    for (;;) {
      const parcel = await store.outbox.next("far", {}, new AbortController().signal);
      let text = "";
      readWriteRequest(uncompress(parcel.body), { series(key, all, times) { if (all().at(-1) === "7") text += "," + [...times]; } });
      writeSync(1, "t" + text + "\\n");
      await store.outbox.done("far");
    }
  })();
  for (let timeMs = ${fromMs}; ; timeMs += 1000) {
    await store.append({ labels, times: new Float64Array(labels.length).fill(timeMs), values: new Float64Array(labels.length) });
    writeSync(1, "a" + timeMs + "\\n");
  }`;

it(`kill -9 takes nothing that is on its way, ${rounds} times`, { timeout: 120_000 }, async () => {
  const folder = tempFolder();
  const [acked, came] = [new Set<number>(), new Set<number>()];
  const order: number[] = [];
  let newestMs = startMs;
  const take = (times: readonly number[]) => {
    for (const time of times) {
      if (!came.has(time)) order.push(time);
      came.add(time);
    }
  };
  for (let round = 0; round < rounds; round++) {
    const child = startNode(writer(folder, newestMs + 1_000));
    const hear = (line: string) => {
      if (line.startsWith("a")) {
        newestMs = Number(line.slice(1));
        acked.add(newestMs);
      } else take(line.split(",").slice(1).map(Number));
    };
    hear(await child.line());
    const reading = (async () => {
      for (;;) hear(await child.line());
    })().catch(() => {});
    await delay(Math.random() * 150);
    await child.kill();
    await reading;
  }
  const store = await openTsdb(folder, options);
  while ((await store.outbox.backlog())[0]?.bytes !== 0) {
    const given = new AbortController();
    setTimeout(() => given.abort(), 200).unref();
    const parcel = await store.outbox.next("far", {}, given.signal).catch((): Parcel | undefined => undefined);
    if (parcel === undefined) break;
    readWriteRequest(uncompress(parcel.body), {
      series(_key, all, times) {
        if (all().at(-1) === "7") take([...times]);
      },
    });
    await store.outbox.done("far");
  }
  await store.close();
  expect(acked.size).toBeGreaterThan(rounds);
  expect([...acked].filter((time) => !came.has(time))).toEqual([]);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

/** A mount of our own needs rights that not every machine gives. */
const ownMount = (script: string) => ["unshare", ["--map-root-user", "--mount", "sh", "-ec", script]] as const;
const canMount = (() => {
  const [command, args] = ownMount("mount -t tmpfs none /mnt");
  return spawnSync(command, args).status === 0;
})();

it.skipIf(!canMount)("a disk that fills takes the oldest of what waits first; a full one still sends", () => {
  const folder = tempFolder();
  const code = `
    const { openTsdb } = await import(${JSON.stringify(new URL("./tsdb.ts", import.meta.url).href)});
    const { systemClock } = await import(${JSON.stringify(new URL("../../base/clock.ts", import.meta.url).href)});
    const { rmSync, writeFileSync } = await import("node:fs");
    const folder = ${JSON.stringify(folder)};
    const store = await openTsdb(folder + "/store", { clock: systemClock, spanMs: 60_000, outOfOrderMs: 1_000 });
    const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    const labels = Array.from({ length: 50 }, (_, nth) => ["nth", String(nth)]);
    let nth = 0;
    const append = () => store.append({
      labels, times: new Float64Array(50).fill(startMs + nth++ * 10_000), values: Float64Array.from(labels, Math.random),
    });
    const backlog = async () => (await store.outbox.backlog())[0];
    await store.outbox.follow(["far"]);
    for (let i = 0; i < 60; i++) await append();
    await store.maintain();
    const before = await backlog();
    const fill = (bytes) => { try { writeFileSync(folder + "/filler" + bytes, new Uint8Array(bytes)); } catch {} };
    fill(1_850_000);
    await store.maintain();
    const tight = await backlog();
    for (let i = 0; i < 4; i++) await append();
    fill(1e6);
    let fault;
    try { for (;;) await append(); } catch ({ code }) { fault = code; }
    const full = await backlog();
    let sent = 0, times = [];
    while ((await backlog()).bytes > 0) {
      const given = new AbortController();
      setTimeout(() => given.abort(), 200).unref();
      const parcel = await store.outbox.next("far", {}, given.signal).catch(() => undefined);
      if (parcel === undefined) break;
      sent += parcel.samples;
      await store.outbox.done("far");
    }
    const left = await backlog();
    for (const bytes of [1_850_000, 1e6]) rmSync(folder + "/filler" + bytes, { force: true });
    const { added } = await append();
    const coming = await store.outbox.next("far", {}, new AbortController().signal);
    await store.close();
    process.stdout.write(JSON.stringify({ before, tight, fault, full, sent, left, added, coming: coming.samples, taken: nth * 50 }));`;
  const [command, args] = ownMount(`mount -t tmpfs -o size=2m none '${folder}'; exec "$0" --input-type=module -e "$1"`);
  const run = spawnSync(command, [...args, process.execPath, code], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  const out = JSON.parse(run.stdout);
  expect(out.before).toMatchObject({ dropped: 0 });
  expect(out.before.bytes).toBeGreaterThan(10_000);
  // 60 appends of 50: all but what the store itself still needs.
  expect(out.tight.dropped).toBeGreaterThan(1_000);
  expect(out.tight.bytes).toBeLessThan(out.before.bytes);
  expect(out.fault).toBe("unreachable");
  expect(out.sent).toBeGreaterThan(200);
  expect(out.added).toBe(50);
  expect(out.coming).toBeGreaterThanOrEqual(50);
  expect(out.sent + out.coming + out.left.dropped).toBe(out.taken);
});
