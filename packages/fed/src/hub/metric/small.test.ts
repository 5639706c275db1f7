import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { labelsOf } from "#engine/series/labels.ts";
import { openTsdb } from "#engine/tsdb/tsdb.ts";
import { queryAnswerShape } from "#wire/metric.ts";
import type { Range } from "./metric.ts";
import { smallQuery } from "./setting.ts";
import { makeAskSmall } from "./small.ts";

const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
const now: Range = { startMs: nowMs, endMs: nowMs, stepMs: 0 };
const lastDay: Range = { startMs: nowMs - 86_400_000, endMs: nowMs, stepMs: 60_000 };

async function openHere() {
  const store = await openTsdb(tempFolder(), { clock: systemClock });
  onTestFinished(() => store.close());
  const fill = async (name: string, series: number, each = 1) => {
    const labels = Array.from({ length: series }, (_, nth) => labelsOf({ __name__: name, nth: `${nth}` }));
    const rows = labels.flatMap((one) => Array.from({ length: each }, () => one));
    const times = Float64Array.from(rows, (_, row) => nowMs - (row % each) * 10);
    return await store.append({ labels: rows, times, values: Float64Array.from(rows, (_, row) => row) });
  };
  const askSmall = makeAskSmall({ store: async () => store, clock: systemClock });
  const ask = async (text: string, range = now, signal = new AbortController().signal, timeoutMs = 60_000) => {
    const pieces = await askSmall({ kind: "query", text, range, timeoutMs, limit: 0 }, signal);
    if (pieces === undefined) return undefined;
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    return queryAnswerShape.parse(JSON.parse(Buffer.concat(all).toString())).data;
  };
  return { ask, fill };
}

test("a query of a few series is answered here, as the thread would", async () => {
  const { ask, fill } = await openHere();
  await fill("m", smallQuery.series);
  expect(await ask("sum(m)")).toEqual({
    resultType: "vector",
    result: [{ metric: {}, value: [nowMs / 1_000, "120"] }],
  });
  expect((await ask('m{nth=~"[0-3]"}', lastDay))?.result).toHaveLength(4);
  expect(await ask("1 + 1")).toMatchObject({ resultType: "scalar" });
});

test("one series more, one sample more, or less time belong to the thread", async () => {
  const { ask, fill } = await openHere();
  await fill("m", smallQuery.series + 1);
  expect(await ask("sum(m)")).toBeUndefined();
  expect(await ask('sum(m{nth!="0"})')).toBeDefined();
  await fill("long", 1, smallQuery.samples + 1);
  expect(await ask("count_over_time(long[1d])")).toBeUndefined();
  expect(await ask("count_over_time(long[5m])")).toBeDefined();
  expect(await ask("1", now, undefined, smallQuery.timeoutMs - 1)).toBeUndefined();
});

test.each<[text: string, range: Range]>([
  ["max_over_time(rate(m[1m])[1h:1s])", now],
  ["quantile_over_time(0.5, m[1m])", now],
  ['label_replace(m, "a", "$1$1", "b", "(.*)")', now],
  ['count_values("v", m)', now],
  ["sum_over_time(m[1d])", lastDay],
  [Array.from({ length: smallQuery.parts }, () => "m").join(" + "), now],
  ["m", { ...lastDay, startMs: nowMs - 60_000 * smallQuery.points }],
])("%s belongs to the thread whatever it reads", async (text, range) => {
  const { ask } = await openHere();
  expect(await ask(text, range)).toBeUndefined();
});

test("what is wrong with a query is told here, and who left is not answered", async () => {
  const { ask, fill } = await openHere();
  await fill("m", 2);
  await expect(ask("m{")).rejects.toMatchObject({ code: "invalid" });
  await expect(ask("m + on() m")).rejects.toThrow("many-to-many");
  await expect(ask("m", now, AbortSignal.abort(new Error("left")))).rejects.toThrow("left");
});
