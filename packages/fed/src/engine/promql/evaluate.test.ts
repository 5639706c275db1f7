import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { labelsOf } from "../series/labels.ts";
import type { Queryable, Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import { defaultLimits, type Limits } from "./evaluate/budget.ts";
import { type EvaluateOptions, evaluate } from "./evaluate.ts";
import { openMemory } from "./memory.ts";
import { parse } from "./parse.ts";
import type { Result } from "./result.ts";

type Samples = readonly (readonly [timeMs: number, value: number])[];

function series(labels: Record<string, string>, samples: Samples): Series {
  return {
    labels: labelsOf(labels),
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
  };
}

async function ask(
  query: string,
  options: Partial<EvaluateOptions> & { readonly startMs: number },
  data: readonly Series[],
  limits?: Limits,
  signal?: AbortSignal,
): Promise<Result> {
  const store = openMemory();
  await store.append(data);
  return evaluate(
    parse(query),
    { endMs: options.startMs, stepMs: 0, text: query, ...options },
    store.queryable,
    limits,
    signal,
  );
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (thrown) {
    return isFault(thrown) ? { code: thrown.code, message: thrown.message, hinted: thrown.hint !== undefined } : thrown;
  }
  return undefined;
}

const minutes: Samples = Array.from({ length: 11 }, (_, i) => [i * 60_000, i]);
const up = series({ __name__: "up", job: "a" }, minutes);
const down = series({ __name__: "down", job: "a" }, minutes);

describe("the answer", () => {
  it("is a vector, a scalar or a string at one moment", async () => {
    const at = { startMs: 90_000 };
    expect((await ask("up", at, [up])).answer).toEqual({
      kind: "vector",
      atMs: 90_000,
      points: [{ labels: ["__name__", "up", "job", "a"], value: 1 }],
    });
    expect((await ask("(1 + 1)", at, [])).answer).toEqual({ kind: "scalar", atMs: 90_000, value: 2 });
    expect((await ask('"a"', at, [])).answer).toEqual({ kind: "string", atMs: 90_000, value: "a" });
  });

  it("is samples with times of their own for a range selector, the first of the range left out", async () => {
    const { answer } = await ask("up[2m]", { startMs: 180_000 }, [up]);
    expect(answer.kind === "samples" && answer.series.map(({ times, values }) => [[...times], [...values]])).toEqual([
      [
        [120_000, 180_000],
        [2, 3],
      ],
    ]);
  });

  it("is columns over a range, sorted, with gaps", async () => {
    const short = series({ __name__: "a" }, [[0, 7]]);
    const options = { startMs: 0, endMs: 700_000, stepMs: 300_000 };
    const { answer } = await ask('{__name__=~"a|up"}', options, [up, short]);
    expect(answer).toEqual({
      kind: "matrix",
      startMs: 0,
      stepMs: 300_000,
      steps: 3,
      columns: [
        { labels: ["__name__", "a"], values: Float64Array.of(7, 0, 0), present: Uint8Array.of(1, 0, 0) },
        { labels: up.labels, values: Float64Array.of(0, 5, 10), present: Uint8Array.of(1, 1, 1) },
      ],
    });
  });

  it("of a scalar over a range is one series without labels", async () => {
    const { answer } = await ask("time()", { startMs: 0, endMs: 2000, stepMs: 1000 }, []);
    expect(answer).toMatchObject({ kind: "matrix", columns: [{ labels: [], values: Float64Array.of(0, 1, 2) }] });
  });

  it("cannot be a string or a range vector over a range", async () => {
    const options = { startMs: 0, endMs: 2000, stepMs: 1000 };
    expect(await faultOf(ask("up[1m]", options, [up]))).toMatchObject({
      code: "invalid",
      message: 'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    });
    expect(await faultOf(ask('"a"', options, []))).toMatchObject({ code: "invalid" });
  });

  it("says in a warning where it comes from", async () => {
    const query = "sum(\n  quantile_over_time(3, up[1m]))";
    expect((await ask(query, { startMs: 0 }, [up])).warnings).toEqual([
      "PromQL warning: quantile value should be between 0 and 1, got 3 (2:22)",
    ]);
  });
});

describe("names", () => {
  const both = [up, down];
  it("go where they become wrong, unless that is put off", async () => {
    const at = { startMs: 0 };
    const query = 'label_replace({__name__="up"} + 1, "was", "$1", "__name__", "(.*)")';
    const labelsOfAnswer = async (delayNames: boolean) => {
      const { answer } = await ask(query, { ...at, delayNames }, [up]);
      return answer.kind === "vector" && answer.points.map(({ labels }) => labels);
    };
    expect(await labelsOfAnswer(false)).toEqual([["job", "a"]]);
    expect(await labelsOfAnswer(true)).toEqual([["job", "a", "was", "up"]]);
  });

  it.each([
    ["sum by (job)(abs({job='a'}))", false, "vector cannot contain metrics with the same labelset"],
    ["sum by (job)(rate({job='a'}[5m]))", false, "vector cannot contain metrics with the same labelset"],
    ["abs({job='a'})", true, "vector cannot contain metrics with the same labelset"],
  ])("%s fails when two become the same", async (query, delayNames, message) => {
    expect(await faultOf(ask(query, { startMs: 600_000, delayNames }, both))).toMatchObject({ message });
  });

  it("may be put off until an aggregation has no use for them", async () => {
    const { answer } = await ask("sum by (job)(abs({job='a'}))", { startMs: 600_000, delayNames: true }, both);
    expect(answer).toMatchObject({ points: [{ labels: ["job", "a"], value: 20 }] });
  });
});

describe("limits", () => {
  const many = Array.from({ length: 20 }, (_, i) => series({ __name__: "up", n: String(i) }, minutes));
  const range = { startMs: 0, endMs: 600_000, stepMs: 60_000 };
  it.each([
    ["series", { series: 19 }, "query would read more than 19 series"],
    ["samples", { samples: 100 }, "query processing would load too many samples into memory in expression evaluation"],
    ["points", { points: 100 }, "query would hold more than 100 points"],
  ])("of %s are faults with a hint", async (_, limit, message) => {
    const fault = await faultOf(ask("up", range, many, { ...defaultLimits, ...limit }));
    expect(fault).toEqual({ code: "limited", message, hinted: true });
  });

  it.each([
    ["max_over_time(up[30d:1ms])", 0],
    ["max_over_time(absent(nope)[10y:1ms])", 0],
    ["max_over_time(vector(1)[10y:1ms])", 0],
    ["sum_over_time(max_over_time(up[10m:1m])[10y:1ms])", 0],
    ["vector(1)", 10],
    ["1", 10],
  ])("refuse more moments than may be held before memory is taken for them: %s", async (query, stepMs) => {
    const startMs = 1_000 * 86_400_000;
    const options = { startMs, endMs: startMs + 86_400_000 * 365, stepMs };
    const fault = await faultOf(ask(query, options, [up], { ...defaultLimits, points: 1_000_000 }));
    expect(fault).toEqual({ code: "limited", message: "query would hold more than 1000000 points", hinted: true });
  });

  it("do not count what is summed up at once", async () => {
    const { answer } = await ask("sum(up)", range, many, { ...defaultLimits, points: 22 });
    expect(answer).toMatchObject({ columns: [{ labels: [] }] });
  });

  it("of time are measured on the clock", async () => {
    const clock = handClock();
    const queryable: Queryable = {
      ...openMemory().queryable,
      async *select() {
        yield many.slice(0, 1);
        await clock.turn(61_000);
        yield many.slice(1);
      },
    };
    const limits = { ...defaultLimits, timeoutMs: 60_000 };
    const promise = evaluate(parse("up"), { ...range, clock }, queryable, limits);
    expect(await faultOf(promise)).toMatchObject({ code: "timeout", hinted: true });
  });

  it("end at once when the signal is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("gone");
    const queryable: Queryable = {
      ...openMemory().queryable,
      async *select() {
        for (;;)
          yield many.map(({ labels, times, values }) => ({ labels, times: times.slice(), values: values.slice() }));
      },
    };
    setImmediate(() => controller.abort(reason));
    const limits = { ...defaultLimits, series: Number.POSITIVE_INFINITY, samples: Number.POSITIVE_INFINITY };
    expect(await faultOf(evaluate(parse("sum(up)"), range, queryable, limits, controller.signal))).toBe(reason);
    expect(await faultOf(evaluate(parse("1"), range, queryable, limits, controller.signal))).toBe(reason);
  });

  it("leave the thread to others again and again", async () => {
    const long = Array.from({ length: 5760 }, (_, i) => [i * 15_000, i % 97] as const);
    const data = Array.from({ length: 8 }, (_, i) => series({ __name__: "x", n: String(i) }, long));
    const options = { startMs: 0, endMs: 86_400_000, stepMs: 60_000 };
    expect(await turnsOf(ask("quantile_over_time(0.5, x[1h])", options, data))).toBeGreaterThan(5);
  });

  it("leave the thread to others over summaries, too", async () => {
    const hourMs = 3_600_000;
    const times = Float64Array.from({ length: 2_000 }, (_, i) => (i + 1) * hourMs);
    const coarse = { entries: times.length, stepMs: hourMs, columns: {} };
    const queryable: Queryable = {
      ...openMemory().queryable,
      async *select() {
        yield [{ labels: ["__name__", "x"], times, values: times.slice(), coarse }];
      },
    };
    const options = { startMs: 1_000 * hourMs, endMs: 3_000 * hourMs, stepMs: hourMs };
    const promise = evaluate(parse("quantile_over_time(0.5, x[1000h])"), options, queryable);
    expect(await turnsOf(promise)).toBeGreaterThan(2);
  });
});

/** How often others had their turn while something was worked out. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let going = true;
  const count = () => {
    turns++;
    if (going) setImmediate(count);
  };
  setImmediate(count);
  await work;
  going = false;
  return turns;
}

it("asks the store for what it needs and no more", async () => {
  const asked: Selection[] = [];
  const queryable: Queryable = {
    ...openMemory().queryable,
    async *select(selection) {
      asked.push(selection);
      yield [];
    },
  };
  const options = { startMs: 1_000_000, endMs: 1_600_000, stepMs: 60_000 };
  await evaluate(parse("x - rate(y[5m] offset 1m) + max_over_time(z[2m] @ 500)"), options, queryable);
  const spans = asked.map(({ startMs, endMs, hint }) => [startMs, endMs, hint?.rangeMs, hint?.func]);
  expect(spans).toEqual([
    [700_001, 1_600_000, 300_000, undefined],
    [640_001, 1_540_000, 300_000, "rate"],
    [380_001, 500_000, 120_000, "max_over_time"],
  ]);
});

const queries = [
  "x",
  "sum by (n)(rate(x[45s]))",
  "avg without (m)(x)",
  "max_over_time(x[30s] offset 7s)",
  "x > on(n, m) group_left avg by (n, m)(avg_over_time(x[1m]))",
  "topk(1, x)",
  "quantile(0.3, x)",
  "changes(x[1m]) or resets(x[50s])",
  "sum_over_time(stddev(x)[40s:9s])",
  "absent_over_time(x{n='1'}[20s])",
  "count_values('v', clamp(x, 0, 2))",
  "x @ end() and x @ 30",
  "timestamp(x) - predict_linear(x[1m], 5)",
];

it("over a range is the same as at each moment", async () => {
  const sample = fc.tuple(fc.integer({ min: 0, max: 120_000 }), fc.constantFrom(0, 1, 2, 3, 5, 8, Number.NaN));
  const one = fc.uniqueArray(sample, { selector: ([time]) => time, maxLength: 15 });
  const all = fc.array(one, { minLength: 1, maxLength: 4 });
  const grid = { startMs: fc.integer({ min: 0, max: 60_000 }), stepMs: fc.integer({ min: 1000, max: 40_000 }) };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...queries), all, fc.record(grid), async (query, lists, { startMs, stepMs }) => {
      const data = lists.map((list, i) => {
        const labels = { __name__: "x", n: String(i >> 1), m: String(i % 2) };
        return series(
          labels,
          [...list].sort(([a], [b]) => a - b),
        );
      });
      const lookbackMs = 30_000;
      const endMs = startMs + 5 * stepMs;
      const ranged = await ask(query, { startMs, endMs, stepMs, lookbackMs }, data);
      const pinned = query.replaceAll("end()", String(endMs / 1000));
      for (let i = 0; i <= 5; i++) {
        const { answer } = await ask(pinned, { startMs: startMs + i * stepMs, lookbackMs }, data);
        const points = answer.kind === "vector" ? answer.points : [];
        expect(cellsAt(ranged, i)).toEqual(new Map(points.map(({ labels, value }) => [labels.join(), value])));
      }
    }),
    { numRuns: 300 },
  );
});

function cellsAt({ answer }: Result, step: number): Map<string, number> {
  const columns = answer.kind === "matrix" ? answer.columns : [];
  const there = columns.filter(({ present }) => present[step] === 1);
  return new Map(there.map(({ labels, values }) => [labels.join(), values[step] as number]));
}
