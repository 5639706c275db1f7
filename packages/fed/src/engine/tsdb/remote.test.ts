import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { labelsOf } from "../series/labels.ts";
import { isStale, setStale } from "../series/series.ts";
import { joinTsdb, type RunningStore, startTsdb } from "./remote.ts";

const never = new AbortController().signal;
const startMs = Date.now() - 3_600_000;
const labels = Array.from({ length: 300 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));
const everything = { matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER };

async function startHere(folder?: string): Promise<{ readonly store: RunningStore; readonly folder: string }> {
  const where = folder ?? mkdtempSync(join(tmpdir(), "fed-tsdb-remote-"));
  const store = await startTsdb(where);
  onTestFinished(async () => {
    await store.close();
    rmSync(where, { recursive: true, force: true });
  });
  return { store, folder: where };
}

function scrape(nth: number) {
  const values = Float64Array.from(labels, (_, i) => i + nth / 8);
  setStale(values, 7);
  return { labels, times: new Float64Array(labels.length).fill(startMs + nth * 1000), values };
}

describe("a store in a thread", () => {
  it("takes samples and answers them with their bits, and again after it was closed", async () => {
    let { store, folder } = await startHere();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, nth) => store.append(scrape(nth))));
    expect(answers.every(({ added }) => added === labels.length)).toBe(true);
    for (let round = 0; round < 2; round++) {
      let count = 0;
      for await (const batch of store.select(everything, never)) {
        for (const series of batch) {
          const nth = Number(series.labels.at(-1));
          expect(series.times.length).toBe(50);
          expect(isStale(series.values, 3)).toBe(nth === 7);
          if (nth !== 7) expect(series.values[3]).toBe(nth + 3 / 8);
          count++;
        }
      }
      expect(count).toBe(labels.length);
      if (round > 0) break;
      await store.close();
      ({ store } = await startHere(folder));
    }
    expect(await store.labelNames(everything, never)).toEqual(["__name__", "nth"]);
    expect(await store.stats()).toMatchObject({ activeSeries: 300, headSamples: 15_000 });
    const old = { ...scrape(0), times: new Float64Array(labels.length).fill(startMs - 50 * 3_600_000) };
    expect(await store.append(old)).toMatchObject({ added: 0, refused: 300 });
    expect(await store.backfill(old)).toMatchObject({ added: 300, refused: 0 });
    const second = { ...everything, matchers: [{ name: "nth", kind: "=", value: "2" }] } as const;
    await store.delete(second);
    expect(await store.series(second, never)).toEqual([]);
  });

  it("sends faults and refusals as they are, and stops for who has gone", async () => {
    const { store, folder } = await startHere();
    await store.append(scrape(0));
    const other = {
      labels: [labels[0] as readonly string[]],
      times: Float64Array.of(startMs),
      values: Float64Array.of(-1),
    };
    expect((await store.append(other)).refusals[0]).toMatchObject({ kind: "other value", row: 0 });
    await expect(store.append({ ...other, times: new Float64Array(3) })).rejects.toMatchObject({ code: "invalid" });
    await expect(startTsdb(folder)).rejects.toMatchObject({ code: "conflict" });
    const asker = new AbortController();
    const reading = store.select(everything, asker.signal)[Symbol.asyncIterator]();
    const first = reading.next();
    asker.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    await store.close();
    await expect(store.stats()).rejects.toMatchObject({ code: "internal" });
    await store.close();
  });

  it("serves a second asker beside the first, and goes on when he has gone", async () => {
    const { store } = await startHere();
    await store.append(scrape(0));
    const other = joinTsdb(store.connect());
    // Series are numbered by each asker on his own.
    const own = {
      labels: [labelsOf({ __name__: "own" })],
      times: Float64Array.of(startMs),
      values: Float64Array.of(4),
    };
    expect(await other.append(own)).toMatchObject({ added: 1 });
    expect(await other.append(scrape(1))).toMatchObject({ added: labels.length });
    expect(await store.append(scrape(2))).toMatchObject({ added: labels.length });
    const countOf = async (from: typeof store | typeof other) => {
      let count = 0;
      for await (const batch of from.select(everything, never)) for (const { times } of batch) count += times.length;
      return count;
    };
    expect(await countOf(other)).toBe(3 * labels.length + 1);
    await expect(other.append({ ...own, times: new Float64Array(3) })).rejects.toMatchObject({ code: "invalid" });
    await other.close();
    await expect(other.stats()).rejects.toMatchObject({ code: "internal" });
    expect(await countOf(store)).toBe(3 * labels.length + 1);
    const third = joinTsdb(store.connect());
    await store.close();
    await expect(third.stats()).rejects.toMatchObject({ code: "internal" });
  });

  it("sends on from its thread, and stops waiting for who has gone", async () => {
    const { store } = await startHere();
    await store.outbox.follow(["far"]);
    const coming = store.outbox.next("far", {}, never);
    await store.append(scrape(0));
    const { body, samples } = await coming;
    expect(samples).toBe(labels.length);
    expect(body.length).toBeGreaterThan(1_000);
    expect((await store.outbox.part("far", 0, 1)).length).toBeLessThan(100);
    await store.outbox.done("far");
    const asker = new AbortController();
    const waiting = store.outbox.next("far", {}, asker.signal);
    asker.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await store.append(scrape(1));
    expect((await store.outbox.next("far", {}, never)).samples).toBe(labels.length);
  });
});
