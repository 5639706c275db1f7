import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeSeries, randomOf, scrapeTimes } from "../../bench/node-series.ts";
import { type OpenScriptStore, openScriptStore } from "../../packages/fed/src/cli/script-store.ts";
import { evaluate } from "../../packages/fed/src/engine/promql/evaluate.ts";
import { parse } from "../../packages/fed/src/engine/promql/parse.ts";
import type { Answer } from "../../packages/fed/src/engine/promql/result.ts";
import { type Labels, labelsKey, labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import type { Series } from "../../packages/fed/src/engine/series/series.ts";
import { otherBefore3, queries } from "./queries.ts";
import { type ApiAnswer, findPrometheus, type RealPrometheus, startPrometheus } from "./real-prometheus.ts";

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
      const difference = compare(await ours(query, span), theirs);
      if (difference !== undefined) differences.push(`${query}: ${difference}`);
    }
    expect(differences).toEqual([]);
    expect(telling).toBeGreaterThan(asked.length * 0.9);
  }, 120_000);

  it("and at one moment", async () => {
    const differences: string[] = [];
    for (const query of asked) {
      const theirs = await real.ask("query", { query, time: String(begin / 1000) });
      const difference = compare(await ours(query, { startMs: begin, endMs: begin, stepMs: 0 }), theirs);
      if (difference !== undefined) differences.push(`${query}: ${difference}`);
    }
    expect(differences).toEqual([]);
  }, 120_000);

  async function ours(
    query: string,
    span: { startMs: number; endMs: number; stepMs: number },
  ): Promise<Answer | Error> {
    try {
      return (await evaluate(parse(query), span, store.queryable)).answer;
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }
});

/** Values by labels and time. */
type Found = Map<string, Map<number, number>>;

function compare(answer: Answer | Error, theirs: ApiAnswer): string | undefined {
  if (answer instanceof Error) return theirs.error === undefined ? `failed: ${answer.message}` : undefined;
  if (theirs.data === undefined) return `did not fail with: ${theirs.error}`;
  const [mine, wanted] = [foundOf(answer), wantedOf(theirs.data)];
  for (const [key, cells] of wanted) {
    const own = mine.get(key);
    if (own === undefined) return `lacks ${key}`;
    if (own.size !== cells.size) return `has ${own.size} points of ${key}, not ${cells.size}`;
    for (const [time, value] of cells) {
      if (!isNear(own.get(time), value)) return `has ${own.get(time)} for ${key} at ${time}, not ${value}`;
    }
  }
  const extra = [...mine.keys()].find((key) => !wanted.has(key));
  return extra === undefined ? undefined : `has ${extra} besides`;
}

function isNear(a: number | undefined, b: number): boolean {
  if (a === undefined) return false;
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

function foundOf(answer: Answer): Found {
  const keyOf = (labels: Labels) => labelsKey(labels);
  if (answer.kind === "scalar") return new Map([["", new Map([[answer.atMs, answer.value]])]]);
  if (answer.kind === "vector") {
    return new Map(answer.points.map(({ labels, value }) => [keyOf(labels), new Map([[answer.atMs, value]])]));
  }
  if (answer.kind !== "matrix") return new Map();
  return new Map(
    answer.columns.map(({ labels, values, present }) => {
      const cells = Array.from(values, (value, i) => [answer.startMs + i * answer.stepMs, value] as const);
      return [keyOf(labels), new Map(cells.filter((_, i) => present[i] === 1))];
    }),
  );
}

type Cell = readonly [seconds: number, value: string];

function wantedOf({ resultType, result }: { readonly resultType: string; readonly result: unknown }): Found {
  const cellOf = ([seconds, value]: Cell) => [Math.round(seconds * 1000), numberOf(value)] as const;
  if (resultType === "scalar") return new Map([["", new Map([cellOf(result as Cell)])]]);
  const all = result as readonly { metric: Record<string, string>; value?: Cell; values?: readonly Cell[] }[];
  return new Map(
    all.map(({ metric, value, values }) => {
      const cells = values ?? (value === undefined ? [] : [value]);
      return [labelsKey(labelsOf(metric)), new Map(cells.map(cellOf))];
    }),
  );
}

function numberOf(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}
