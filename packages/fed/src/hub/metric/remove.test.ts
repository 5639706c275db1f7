import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { labelsOf } from "#engine/series/labels.ts";
import type { EventData } from "#wire/event.ts";
import type { CallContext } from "#wire/handler.ts";
import { removeHandlers } from "./remove.ts";
import { openMetrics } from "./verbs.ts";

async function makeScene(writes = true) {
  const metrics = openMetrics({ folder: tempFolder(), clock: systemClock });
  onTestFinished(() => metrics.close());
  const nowMs = Date.now();
  const labels = ["a", "a", "b"].map((name, i) => labelsOf({ __name__: name, x: String(i % 2) }));
  await metrics.append({ labels, times: new Float64Array(3).fill(nowMs), values: Float64Array.of(1, 2, 3) }, "");
  const told: (readonly [actor: string, data: EventData])[] = [];
  const note = (origin: { readonly actor: string }, _subject: string, data: EventData) => {
    if (writes) told.push([origin.actor, data]);
    return writes;
  };
  const { deleteSeries } = removeHandlers({ metrics, clock: systemClock, events: { note } });
  const left = async () => {
    const points = await metrics.newest([[]], nowMs, new AbortController().signal);
    return points.map(({ labels: [, name, , x] }) => `${name}${x}`).sort();
  };
  const context = { actor: "ada", correlation: "cor_1" } as CallContext;
  const remove = (input: Parameters<typeof deleteSeries>[0]) => deleteSeries(input, context);
  return { remove, left, told, nowMs };
}

test("the series that match are gone, and who asked for it is told", async () => {
  const { remove, left, told } = await makeScene();
  expect(await left()).toEqual(["a0", "a1", "b0"]);
  expect(await remove({ "match[]": ['a{x="1"}', "b"] })).toBe("");
  expect(await left()).toEqual(["a0"]);
  expect(told).toEqual([["ada", { type: "metric.deletionAsked", selectors: ['a{x="1"}', "b"] }]]);
});

test("only in the span", async () => {
  const { remove, left, told, nowMs } = await makeScene();
  const [start, end] = [nowMs - 10_000, nowMs - 5_000].map((ms) => String(ms / 1_000));
  await remove({ "match[]": "a", start, end });
  expect(await left()).toEqual(["a0", "a1", "b0"]);
  expect(told[0]?.[1]).toMatchObject({ startMs: nowMs - 10_000, endMs: nowMs - 5_000 });
});

test("nothing goes that is not named, or that cannot be told", async () => {
  const { remove, left, told } = await makeScene();
  await expect(remove({ "match[]": [] })).rejects.toThrow('invalid parameter "match[]"');
  await expect(remove({ "match[]": ["a", "rate(a[5m])"] })).rejects.toThrow('invalid parameter "match[]"');
  expect([await left(), told]).toEqual([["a0", "a1", "b0"], []]);
  const mute = await makeScene(false);
  await expect(mute.remove({ "match[]": "a" })).rejects.toMatchObject({ code: "unreachable" });
  expect(await mute.left()).toEqual(["a0", "a1", "b0"]);
});
