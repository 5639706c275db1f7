import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { uncompress } from "snappyjs";
import { expect, onTestFinished, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { readWriteRequest } from "../exposition/remote-write.ts";
import { type Labels, labelsOf, labelValue } from "../series/labels.ts";
import { isStale, setStale } from "../series/series.ts";
import type { OutboxOptions, Parcel } from "./outbox.ts";
import type { ParcelForm } from "./parcel.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "./tsdb.ts";

const startMs = 1_700_006_400_000;
const minuteMs = 60_000;
const never = new AbortController().signal;
const labels = Array.from({ length: 5 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));

async function openHere(folder: string, outbox: OutboxOptions = {}, options: Partial<TsdbOptions> = {}) {
  const clock = handClock(startMs + 1_000 * 60 * minuteMs);
  const usual = { clock, spanMs: 10 * minuteMs, outOfOrderMs: minuteMs, durability: "relaxed" } as const;
  const store = await openTsdb(folder, { ...usual, outbox, ...options });
  onTestFinished(() => store.close());
  return store;
}

async function append(store: Tsdb, timeMs: number, value = timeMs) {
  const values = Float64Array.from(labels, (_, nth) => value + nth);
  const { added } = await store.append({ labels, times: new Float64Array(labels.length).fill(timeMs), values });
  return added;
}

interface Got {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly values: Float64Array;
}

function unpack(body: Uint8Array): readonly Got[] {
  const found: Got[] = [];
  readWriteRequest(uncompress(body), {
    series: (_key, all, times, values) => found.push({ labels: all(), times: [...times], values }),
  });
  return found;
}

/** The next parcel's series, dealt with; undefined when there is none yet. */
async function take(store: Tsdb, target: string, form: ParcelForm = {}): Promise<readonly Got[] | undefined> {
  const given = new AbortController();
  let parcel: Parcel | undefined;
  let waits = true;
  const coming = store.outbox.next(target, form, given.signal).then(
    (came) => {
      parcel = came;
    },
    (thrown: unknown) => {
      if (!given.signal.aborted) throw thrown;
    },
  );
  const settled = coming.finally(() => {
    waits = false;
  });
  // Once it has passed over all that is not for this target, nothing is left.
  while (waits) {
    const pending = (await store.outbox.backlog()).find((one) => one.target === target);
    if (pending?.bytes === 0 && parcel === undefined) given.abort(new Error("nothing"));
    await new Promise(setImmediate);
  }
  await settled;
  if (parcel === undefined) return undefined;
  await store.outbox.done(target);
  return unpack(parcel.body);
}

async function takeAll(store: Tsdb, target: string, form: ParcelForm = {}): Promise<readonly Got[]> {
  const all: Got[] = [];
  for (;;) {
    const got = await take(store, target, form);
    if (got === undefined) return all;
    all.push(...got);
  }
}

const timesOf = (got: readonly Got[], nth: number) =>
  got.flatMap((one) => (labelValue(one.labels, "nth") === `${nth}` ? one.times : []));

test("a target gets what is committed once it is followed, in order and bit for bit", async () => {
  const store = await openHere(tempFolder(), { parcelSamples: 7 });
  await append(store, startMs);
  await store.outbox.follow(["far"]);
  const times = Array.from({ length: 20 }, (_, i) => startMs + (i + 1) * 1_000);
  for (const time of times) await append(store, time);
  const stale = new Float64Array(1);
  setStale(stale, 0);
  await store.append({ labels: [labels[0] as Labels], times: Float64Array.of(startMs + 30_000), values: stale });
  const got = await takeAll(store, "far");
  expect(timesOf(got, 0)).toEqual([...times, startMs + 30_000]);
  for (let nth = 1; nth < labels.length; nth++) expect(timesOf(got, nth)).toEqual(times);
  const last = got.at(-1) as Got;
  expect(isStale(last.values, last.values.length - 1)).toBe(true);
  expect(await store.outbox.backlog()).toEqual([{ target: "far", bytes: 0, dropped: 0 }]);
});

test("who waits for more is woken by a commit", async () => {
  const store = await openHere(tempFolder());
  await store.outbox.follow(["far"]);
  const coming = store.outbox.next("far", {}, never);
  await append(store, startMs);
  expect((await coming).samples).toBe(labels.length);
});

test("a parcel that may have been sent is the same again, over a restart and with more behind it", async () => {
  const folder = tempFolder();
  let store = await openHere(folder);
  await store.outbox.follow(["far"]);
  await append(store, startMs);
  const first = await store.outbox.next("far", {}, never);
  await append(store, startMs + 1);
  await store.close();
  store = await openHere(folder);
  await append(store, startMs + 2);
  const again = await store.outbox.next("far", {}, never);
  expect([...again.body]).toEqual([...first.body]);
  expect([first.again, again.again]).toEqual([false, true]);
  const half = unpack(await store.outbox.part("far", 1, 3)).map((one) => labelValue(one.labels, "nth"));
  expect(half).toEqual(["1", "2"]);
  await store.outbox.done("far");
  expect(timesOf(await takeAll(store, "far"), 0)).toEqual([startMs + 1, startMs + 2]);
});

test("and over a kill -9", async () => {
  const folder = tempFolder();
  const store = await openHere(folder);
  await store.outbox.follow(["far"]);
  await append(store, startMs);
  const first = await store.outbox.next("far", {}, never);
  await append(store, startMs + 1);
  const copy = tempFolder();
  cpSync(folder, copy, { recursive: true });
  const left = await openHere(copy);
  expect([...(await left.outbox.next("far", {}, never)).body]).toEqual([...first.body]);
});

test("a log that begins anew is sent on all the same", async () => {
  const folder = tempFolder();
  let store = await openHere(folder);
  await store.outbox.follow(["far"]);
  for (let i = 0; i < 5; i++) {
    await append(store, startMs + i * 20 * minuteMs);
    await store.maintain();
  }
  await takeAll(store, "far");
  await store.close();
  for (const name of readdirSync(join(folder, "wal"))) rmSync(join(folder, "wal", name));
  store = await openHere(folder);
  await append(store, startMs + 500 * minuteMs);
  expect(timesOf(await takeAll(store, "far"), 0)).toEqual([startMs + 500 * minuteMs]);
});

test("a parcel of long names holds fewer samples", async () => {
  const store = await openHere(tempFolder());
  await store.outbox.follow(["far"]);
  const long = Array.from({ length: 400 }, (_, nth) =>
    labelsOf({ __name__: "m", nth: `${nth}`, x: "y".repeat(4_000) }),
  );
  const times = new Float64Array(long.length).fill(startMs);
  await store.append({ labels: long, times, values: new Float64Array(long.length) });
  const { samples } = await store.outbox.next("far", {}, never);
  expect(samples).toBeGreaterThan(100);
  expect(samples).toBeLessThan(150);
});

test("only what is wanted goes, with the labels that are added", async () => {
  const store = await openHere(tempFolder());
  await store.outbox.follow(["far"]);
  for (let i = 0; i < 10; i++) await append(store, startMs + i);
  const form: ParcelForm = {
    only: [[{ name: "nth", kind: "=~", value: "[0-2]" }]],
    drop: [[{ name: "nth", kind: "=", value: "1" }]],
    labels: { hub: "ocean", nth: "mine" },
  };
  const got = await takeAll(store, "far", form);
  expect(new Set(got.map((one) => one.labels.join()))).toEqual(
    new Set(["__name__,m,hub,ocean,nth,0", "__name__,m,hub,ocean,nth,2"]),
  );
  expect(await takeAll(store, "far", { only: [[{ name: "nth", kind: "=", value: "9" }]] })).toEqual([]);
  expect((await store.outbox.backlog())[0]?.bytes).toBe(0);
});

test("files are kept for who was away, and go when he has them; a target that is named no more is forgotten", async () => {
  const folder = tempFolder();
  let store = await openHere(folder);
  await store.outbox.follow(["far", "near"]);
  const queue = () => readdirSync(join(folder, "queue")).filter((name) => name.endsWith(".wal"));
  const times = Array.from({ length: 60 }, (_, i) => startMs + i * minuteMs);
  for (const time of times) {
    await append(store, time);
    await store.maintain();
  }
  expect(queue().length).toBeGreaterThan(3);
  expect(timesOf(await takeAll(store, "near"), 3)).toEqual(times);
  expect(queue().length).toBeGreaterThan(3);
  await store.close();
  store = await openHere(folder);
  expect(timesOf(await takeAll(store, "far"), 3)).toEqual(times);
  expect(queue()).toEqual([]);
  await store.outbox.follow(["near"]);
  expect(readdirSync(join(folder, "queue"))).toEqual(["near.json"]);
  await expect(store.outbox.next("far", {}, never)).rejects.toMatchObject({ code: "missing" });
  await store.outbox.follow(["near", "far"]);
  expect(await takeAll(store, "far")).toEqual([]);
});

test("beyond its bound the queue drops the oldest, and counts for each target what it has not got", async () => {
  const folder = tempFolder();
  const store = await openHere(folder, { queueBytes: 600 });
  await store.outbox.follow(["far", "near"]);
  const times = Array.from({ length: 60 }, (_, i) => startMs + i * minuteMs);
  for (const time of times) {
    await append(store, time);
    await store.maintain();
    await takeAll(store, "near");
  }
  const backlog = await store.outbox.backlog();
  const { dropped = 0 } = backlog.find(({ target }) => target === "far") ?? {};
  expect(backlog.find(({ target }) => target === "near")).toMatchObject({ bytes: 0, dropped: 0 });
  expect(dropped).toBeGreaterThan(0);
  const got = timesOf(await takeAll(store, "far"), 2);
  expect(got).toEqual(times.slice(-got.length));
  expect(got.length * labels.length + dropped).toBe(times.length * labels.length);
});

test("a file that somebody took away costs what was in it", async () => {
  const folder = tempFolder();
  const store = await openHere(folder);
  await store.outbox.follow(["far"]);
  for (let i = 0; i < 45; i++) {
    await append(store, startMs + i * minuteMs);
    await store.maintain();
  }
  for (const place of ["wal", "queue"]) {
    const [name = ""] = readdirSync(join(folder, place)).filter((one) => one.endsWith(".wal"));
    rmSync(join(folder, place, name));
  }
  await append(store, startMs + 100 * minuteMs);
  await store.maintain();
  const got = timesOf(await takeAll(store, "far"), 0);
  expect(got.at(-1)).toBe(startMs + 100 * minuteMs);
  expect(got.length).toBeLessThan(40);
  expect((await store.stats()).damage).toContainEqual(
    expect.objectContaining({ what: "it is gone, and cannot be sent on" }),
  );
});

test("what cannot be read is passed over and named; the rest arrives", async () => {
  const folder = tempFolder();
  let store = await openHere(folder);
  await store.outbox.follow(["far"]);
  for (let i = 0; i < 10; i++) await append(store, startMs + i);
  await store.close();
  const [name = ""] = readdirSync(join(folder, "wal"));
  const path = join(folder, "wal", name);
  const data = readFileSync(path);
  const at = Math.floor(data.length / 2);
  data[at] = (data[at] as number) ^ 4;
  writeFileSync(path, data);
  store = await openHere(folder);
  expect(timesOf(await takeAll(store, "far"), 1).length).toBe(9);
  expect((await store.stats()).damage.map(({ what }) => what)).toContainEqual(
    expect.stringMatching(/^the commits from byte \d+ to \d+ cannot be sent on$/),
  );
});

test("progress that cannot be read means all that is still there", async () => {
  const folder = tempFolder();
  let store = await openHere(folder);
  await store.outbox.follow(["far"]);
  await append(store, startMs);
  expect(timesOf(await takeAll(store, "far"), 0)).toEqual([startMs]);
  await store.close();
  writeFileSync(join(folder, "queue", "far.json"), '{"from":7}');
  store = await openHere(folder);
  expect(timesOf(await takeAll(store, "far"), 0)).toEqual([startMs]);
  expect((await store.stats()).damage).toMatchObject([{ file: join(folder, "queue", "far.json") }]);
});

type Step = "append" | "many" | "late" | "maintain" | "restart" | "take" | "lose";

test("whatever happens in between, everything acknowledged arrives, in order for each series", {
  timeout: 60_000,
}, async () => {
  const step = fc.constantFrom<Step>("append", "append", "many", "late", "maintain", "restart", "take", "take", "lose");
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.integer({ min: 4, max: 60 }),
      async (steps, most) => {
        const folder = tempFolder();
        let store = await openHere(folder, { parcelSamples: most });
        await store.outbox.follow(["far"]);
        const sent = labels.map((): number[] => []);
        const arrived = labels.map((): number[] => []);
        let nextMs = startMs;
        const later = (byMs: number) => {
          nextMs += byMs;
          return nextMs;
        };
        const send = async (timeMs: number) => {
          if ((await append(store, timeMs)) === labels.length) for (const times of sent) times.push(timeMs);
        };
        const receive = (got: readonly Got[]) => {
          for (const one of got) arrived[Number(labelValue(one.labels, "nth"))]?.push(...one.times);
        };
        for (const what of steps) {
          if (what === "append") await send(later(3 * minuteMs));
          else if (what === "many") for (let i = 0; i < 20; i++) await send(later(1_000));
          else if (what === "late") await send(nextMs - 30_000);
          else if (what === "maintain") await store.maintain();
          else if (what === "take") receive((await take(store, "far")) ?? []);
          else if (what === "lose" && (await store.outbox.backlog())[0]?.bytes !== 0) {
            // Its answer never came: the same parcel once more.
            await store.outbox.next("far", {}, never);
          } else if (what === "restart") {
            await store.close();
            store = await openHere(folder, { parcelSamples: most });
          }
        }
        receive(await takeAll(store, "far"));
        expect(arrived).toEqual(sent);
        expect(readdirSync(join(folder, "queue"))).toEqual(["far.json"]);
        await store.close();
      },
    ),
    { numRuns: 20 },
  );
});
