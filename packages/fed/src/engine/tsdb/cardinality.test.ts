import { expect, onTestFinished, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { labelsOf } from "../series/labels.ts";
import { openTsdb } from "./tsdb.ts";

const nowMs = 1_763_700_000_000;

test("where the series in memory come from", async () => {
  const store = await openTsdb(tempFolder(), { clock: handClock(nowMs) });
  onTestFinished(() => store.close());
  const nothing = { metrics: [], labels: [], labelBytes: [], pairs: [] };
  expect(await store.cardinality(10)).toEqual({
    ...{ series: 0, labelPairs: 0, chunks: 0, startMs: 0, endMs: 0, ...nothing },
  });
  const labels = ["a", "b", "c"].map((cpu) => labelsOf({ __name__: "cpu", cpu }));
  labels.push(labelsOf({ __name__: "up" }));
  await store.append({ labels, times: new Float64Array(4).fill(nowMs - 5), values: new Float64Array(4) });
  const later = { labels: labels.slice(0, 1), times: Float64Array.of(nowMs), values: Float64Array.of(1) };
  await store.append(later);
  expect(await store.cardinality(2)).toEqual({
    ...{ series: 4, labelPairs: 5, chunks: 4, startMs: nowMs - 5, endMs: nowMs },
    metrics: [
      { name: "cpu", count: 3 },
      { name: "up", count: 1 },
    ],
    labels: [
      { name: "cpu", count: 3 },
      { name: "__name__", count: 2 },
    ],
    labelBytes: [
      { name: "__name__", count: 11 },
      { name: "cpu", count: 3 },
    ],
    pairs: [
      { name: "__name__=cpu", count: 3 },
      { name: "__name__=up", count: 1 },
    ],
  });
});
