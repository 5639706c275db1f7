import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { handClock } from "../../packages/fed/src/base/hand-clock.ts";
import { evaluate } from "../../packages/fed/src/engine/promql/evaluate.ts";
import { openMemory } from "../../packages/fed/src/engine/promql/memory.ts";
import { parse } from "../../packages/fed/src/engine/promql/parse.ts";
import { type Labels, labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import type { Queryable } from "../../packages/fed/src/engine/series/queryable.ts";
import { type Series, setStale } from "../../packages/fed/src/engine/series/series.ts";
import { usualTiers } from "../../packages/fed/src/engine/tsdb/tier.ts";
import { openTsdb, type Tsdb } from "../../packages/fed/src/engine/tsdb/tsdb.ts";

/** Queries on summaries against the same queries on the samples: on the edges of summaries they are equal. */
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = 19_700 * dayMs;
const days = 6;
const names = ["a", "b", "c"].map((nth) => labelsOf({ __name__: "x_total", nth }));

/** A stretch of a series: how many samples, how far apart, what they do. */
const stretch = fc.record({
  count: fc.integer({ min: 1, max: 900 }),
  everyMs: fc.constantFrom(60_000, 150_000, 300_000, 420_000, 61_234),
  kind: fc.constantFrom("counts", "rests", "jumps", "is away"),
  endsStale: fc.boolean(),
  seed: fc.nat(1000),
});
type Stretch = (typeof stretch extends fc.Arbitrary<infer T> ? T : never) & object;

function makeSeries(labels: Labels, stretches: readonly Stretch[]): Series {
  const rows: [timeMs: number, value: number, stale: boolean][] = [];
  let [timeMs, value] = [startMs, 0];
  for (const { count, everyMs, kind, endsStale, seed } of stretches) {
    for (let i = 0; i < count && timeMs < startMs + days * dayMs; i++, timeMs += everyMs) {
      if (kind === "counts") value = (i + seed) % 97 === 0 ? seed % 5 : value + ((i * seed) % 7);
      if (kind === "jumps") value = ((i * 7919 + seed) % 201) / 4;
      if (kind !== "is away") rows.push([timeMs, value, false]);
    }
    if (endsStale && rows.length > 0 && timeMs > (rows.at(-1)?.[0] ?? 0)) rows.push([timeMs, 0, true]);
    timeMs += everyMs;
  }
  const values = Float64Array.from(rows, ([, one]) => one);
  for (const [i, [, , stale]] of rows.entries()) if (stale) setStale(values, i);
  return { labels, times: Float64Array.from(rows, ([at]) => at), values };
}

interface Scene {
  readonly memory: Queryable;
  store: Tsdb;
  reopen(): Promise<void>;
}

async function withScene(all: readonly Series[], work: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fed-tier-"));
  const clock = handClock(startMs);
  const options = { clock, tiers: usualTiers() };
  const memory = openMemory();
  await memory.append(all);
  const scene: Scene = {
    memory: memory.queryable,
    store: await openTsdb(folder, options),
    async reopen() {
      await scene.store.close();
      scene.store = await openTsdb(folder, options);
    },
  };
  try {
    for (let day = 0; day < days; day++) {
      await clock.turn(dayMs);
      await appendDay(scene.store, all, day);
      if (day % 2 === 1) await scene.reopen();
      await scene.store.maintain();
    }
    await work(scene);
  } finally {
    await scene.store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The samples of a day as they come; of each dozen the later ones first. */
async function appendDay(store: Tsdb, all: readonly Series[], day: number): Promise<void> {
  const [fromMs, toMs] = [startMs + day * dayMs, startMs + (day + 1) * dayMs];
  const rows = all
    .flatMap((series) => [...series.times].map((timeMs, nth) => ({ series, timeMs, nth })))
    .filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs)
    .sort((a, b) => a.timeMs - b.timeMs);
  for (let i = 0; i < rows.length; i += 12) {
    const part = rows.slice(i, i + 12).reverse();
    const values = new BigUint64Array(
      part.map(({ series, nth }) => new BigUint64Array(series.values.buffer)[nth] ?? 0n),
    );
    const { refused } = await store.append({
      labels: part.map(({ series }) => series.labels),
      times: Float64Array.from(part, ({ timeMs }) => timeMs),
      values: new Float64Array(values.buffer),
    });
    expect(refused).toBe(0);
  }
}

async function ask(queryable: Queryable, text: string, fromMs: number, toMs: number, stepMs: number) {
  const range = { startMs: fromMs, endMs: toMs, stepMs };
  const { answer, infos } = await evaluate(parse(text), { ...range, text }, queryable);
  if (answer.kind !== "matrix") throw new Error(answer.kind);
  const found = new Map(answer.columns.map(({ labels, values, present }) => [labels.join(), { values, present }]));
  return { found, infos };
}

const functions = [
  ...["rate", "increase", "delta", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time"],
  ...["count_over_time", "last_over_time", "present_over_time"],
];

it("tell the same as samples on their edges, and count each sample once anywhere", async () => {
  let [compared, coarse] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(stretch, { minLength: 4, maxLength: 12 }), { minLength: 3, maxLength: 3 }),
      fc.nat(hourMs),
      async (stretches, offMs) => {
        const all = names.map((labels, nth) => makeSeries(labels, stretches[nth] as readonly Stretch[]));
        await withScene(all, async ({ memory, store }) => {
          const [fromMs, toMs] = [startMs + 4 * hourMs, startMs + days * dayMs];
          for (const func of functions) {
            const [range, stepMs] = func === "delta" ? ["20m", 10 * 60_000] : ["2h", 2 * hourMs];
            const text = `${func}(x_total[${range}])`;
            const [right, given] = [
              await ask(memory, text, fromMs, toMs, stepMs),
              await ask(store, text, fromMs, toMs, stepMs),
            ];
            expect([...given.found.keys()]).toEqual([...right.found.keys()]);
            coarse += given.infos.some((info) => info.includes("summaries")) ? 1 : 0;
            for (const [key, { values, present }] of right.found) {
              const other = given.found.get(key);
              expect(other?.present).toEqual(present);
              for (const [i, value] of values.entries()) {
                if (present[i] === 0) continue;
                compared++;
                const difference = Math.abs(value - (other?.values[i] as number));
                if (difference > 1e-9 * Math.max(1, Math.abs(value)))
                  throw new Error(`${text} of ${key} step ${i}: ${other?.values[i]}, not ${value}`);
              }
            }
          }
          await countOnce(store, all, startMs - dayMs + offMs);
        });
      },
    ),
    { numRuns: Number(process.env.FED_TIER_RUNS ?? 5) },
  );
  expect(compared).toBeGreaterThan(1000);
  expect(coarse).toBeGreaterThan(0);
}, 120_000);

/** Windows beside each other, anywhere: together they have each sample once. */
async function countOnce(store: Tsdb, all: readonly Series[], fromMs: number): Promise<void> {
  const { found } = await ask(store, "count_over_time(x_total[2h])", fromMs, fromMs + (days + 2) * dayMs, 2 * hourMs);
  for (const { labels, times, values } of all) {
    const fresh = [...times].filter((_, i) => !Number.isNaN(values[i])).length;
    const counted = [...found].find(([key]) => key === labels.filter((_, i) => i > 1).join())?.[1];
    const told = counted?.values.reduce((sum, value, i) => sum + (counted.present[i] === 1 ? value : 0), 0) ?? 0;
    expect(told).toBe(fresh);
  }
}
