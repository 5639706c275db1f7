import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomOf } from "../../bench/node-series.ts";
import { type OpenScriptStore, openScriptStore } from "../../packages/fed/src/cli/script-store.ts";
import { askOurs, compare, wantedOf } from "./compare.ts";
import { randomQueries, randomSeries, randomStartMs } from "./random-query.ts";
import { findPrometheus, type RealPrometheus, startPrometheus } from "./real-prometheus.ts";

const seed = Number(process.env.FED_PROMQL_SEED ?? 1);
const count = Number(process.env.FED_PROMQL_QUERIES ?? 2_000);

const binary = findPrometheus();
// Older ones close ranges on the left, and here times lie on the grid.
const isNew = binary !== undefined && !binary.version.startsWith("2.");
const whom = isNew ? binary.version : "[skipped: no Prometheus 3 and promtool here]";

/** Newer than 3.5: pairs that a comparison filters away are matches too, so that a query fails always or never. */
const failsNow = "multiple matches for labels";

describe.skipIf(!isNew)(`beside Prometheus ${whom}, seed ${seed}`, () => {
  let store: OpenScriptStore;
  let real: RealPrometheus;
  beforeAll(async () => {
    const series = randomSeries(seed);
    store = await openScriptStore("block");
    await store.append(series);
    if (binary !== undefined) real = await startPrometheus(binary, series);
  }, 120_000);
  afterAll(async () => {
    await store?.close();
    await real?.stop();
  });

  it(`${count} queries drawn at random yield the same`, async () => {
    const random = randomOf(seed);
    const draw = randomQueries(seed + 1);
    const differences: string[] = [];
    let telling = 0;
    for (let i = 0; i < count; i++) {
      const query = draw();
      const startMs = randomStartMs + 1_000_000 + Math.floor(random() * 2_000_000);
      const stepMs = [0, 15_000, 60_000, 61_234, 300_000][Math.floor(random() * 5)] as number;
      const endMs = stepMs === 0 ? startMs : startMs + 1_500_000;
      const mine = await askOurs(store.queryable, query, { startMs, endMs, stepMs });
      if (mine instanceof Error && mine.message.startsWith(failsNow)) continue;
      const [start, end, step] = [startMs, endMs, stepMs].map((ms) => String(ms / 1000)) as [string, string, string];
      const theirs = await (stepMs === 0
        ? real.ask("query", { query, time: start })
        : real.ask("query_range", { query, start, end, step }));
      if (theirs.data !== undefined && wantedOf(theirs.data).size > 0) telling++;
      const difference = compare(mine, theirs);
      if (difference !== undefined) differences.push(`${query} at ${start} by ${step}: ${difference}`);
    }
    expect(differences).toEqual([]);
    expect(telling).toBeGreaterThan(count / 2);
  }, 120_000);
});
