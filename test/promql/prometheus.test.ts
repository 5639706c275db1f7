import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeSeries, randomOf, scrapeTimes } from "../../bench/node-series.ts";
import { type OpenScriptStore, openScriptStore } from "../../packages/fed/src/cli/script-store.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import type { Series } from "../../packages/fed/src/engine/series/series.ts";
import { askOurs, compare, wantedOf } from "./compare.ts";
import { otherBefore3, queries } from "./queries.ts";
import { findPrometheus, type RealPrometheus, startPrometheus } from "./real-prometheus.ts";

/** A day of 500 series a minute apart; asked beside the grid, so that older releases see the same samples in a range. */
const dayMs = 86_400_000;
const startMs = Math.floor(1_795_000_000_000 / dayMs) * dayMs;
const samples = dayMs / 60_000;

function makeSeries(): Series[] {
  const times = scrapeTimes(startMs, 60_000, samples);
  const random = randomOf(3);
  const made: Series[] = nodeSeries(60, samples, 470).map(({ labels, values }) => ({
    labels: labelsOf(labels),
    times,
    values,
  }));
  const add = (labels: Record<string, string>, next: (i: number) => number | undefined) => {
    const cells = Array.from(times, (time, i) => [time, next(i)] as const).filter(([, value]) => value !== undefined);
    const values = Float64Array.from(cells, ([, value]) => value as number);
    made.push({
      labels: labelsOf({ instance: "node5:9100", ...labels }),
      times: Float64Array.from(cells, ([time]) => time),
      values,
    });
  };
  let total = 0;
  add({ __name__: "begun_again_total", job: "node" }, () => (total = random() < 0.01 ? 0 : total + random() * 9));
  add({ __name__: "gappy", job: "node" }, (i) => (Math.floor(i / 20) % 3 === 0 ? undefined : i % 7));
  for (const device of ["a", "b", "c"]) {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1.5, -2.5, 3];
    add({ __name__: "strange", device }, () => odd[Math.floor(random() * odd.length)]);
  }
  for (const path of ["/", "/x"]) {
    const sums = [0, 0, 0, 0, 0];
    const rows = Array.from(times, () =>
      sums.map((_, i) => (sums[i] = (sums[i] as number) + Math.floor(random() * 3) + (i > 0 ? 3 : 0))),
    );
    for (const [i, le] of ["0.1", "0.5", "1", "5", "+Inf"].entries()) {
      add({ __name__: "took_seconds_bucket", path, le }, (step) => rows[step]?.slice(0, i + 1).reduce((a, b) => a + b));
    }
  }
  return made;
}

const binary = findPrometheus();
const asked = queries.filter((query) => !binary?.version.startsWith("2.") || !Object.hasOwn(otherBefore3, query));
const whom = binary === undefined ? "[skipped: no prometheus and promtool here]" : binary.version;

describe.skipIf(binary === undefined)(`beside Prometheus ${whom}`, () => {
  let store: OpenScriptStore;
  let real: RealPrometheus;
  beforeAll(async () => {
    const series = makeSeries();
    store = await openScriptStore("block");
    await store.append(series);
    if (binary !== undefined) real = await startPrometheus(binary, series);
  }, 120_000);
  afterAll(async () => {
    await store?.close();
    await real?.stop();
  });

  const begin = startMs + 6 * 3_600_000 + 17_234;
  it(`${asked.length} queries over three hours yield the same`, async () => {
    const differences: string[] = [];
    let telling = 0;
    for (const query of asked) {
      const span = { startMs: begin, endMs: begin + 3 * 3_600_000, stepMs: 173_000 };
      const theirs = await real.ask("query_range", {
        query,
        start: String(span.startMs / 1000),
        end: String(span.endMs / 1000),
        step: "173",
      });
      if (wantedOf(theirs.data ?? { resultType: "matrix", result: [] }).size > 0) telling++;
      const difference = compare(await askOurs(store.queryable, query, span), theirs);
      if (difference !== undefined) differences.push(`${query}: ${difference}`);
    }
    expect(differences).toEqual([]);
    expect(telling).toBeGreaterThan(asked.length * 0.9);
  }, 120_000);

  it("and at one moment", async () => {
    const differences: string[] = [];
    for (const query of asked) {
      const theirs = await real.ask("query", { query, time: String(begin / 1000) });
      const difference = compare(
        await askOurs(store.queryable, query, { startMs: begin, endMs: begin, stepMs: 0 }),
        theirs,
      );
      if (difference !== undefined) differences.push(`${query}: ${difference}`);
    }
    expect(differences).toEqual([]);
  }, 120_000);
});
