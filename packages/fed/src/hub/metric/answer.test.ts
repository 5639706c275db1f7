import { expect, test } from "vitest";
import type { Answer } from "#engine/promql/result.ts";
import { queryAnswerShape } from "#wire/metric.ts";
import { writeAnswer, writeResult } from "./answer.ts";

const labels = ["__name__", 'a"b', "job", "x"];
const written = async (answer: Answer, limit?: number) =>
  queryAnswerShape.parse(JSON.parse(await writeResult({ answer, warnings: [], infos: [] }, limit))).data;

test("each kind of answer as Prometheus writes it", async () => {
  const metric = { __name__: 'a"b', job: "x" };
  expect(await written({ kind: "scalar", atMs: 1_500, value: 2 })).toEqual({
    resultType: "scalar",
    result: [1.5, "2"],
  });
  expect(await written({ kind: "string", atMs: 1_000, value: 'a"' })).toEqual({
    ...{ resultType: "string", result: [1, 'a"'] },
  });
  expect(await written({ kind: "vector", atMs: 1_435_781_430_781, points: [{ labels, value: 1 }] })).toEqual({
    ...{ resultType: "vector", result: [{ metric, value: [1_435_781_430.781, "1"] }] },
  });
  const [values, present] = [Float64Array.of(1, 9, 3), Uint8Array.of(1, 0, 1)];
  const range = { startMs: 1_000, stepMs: 500, steps: 3 };
  const matrix: Answer = { kind: "matrix", ...range, columns: [{ labels, values, present }] };
  const cells = [
    [1, "1"],
    [2, "3"],
  ];
  expect(await written(matrix)).toEqual({ resultType: "matrix", result: [{ metric, values: cells }] });
  const series = [{ labels, times: Float64Array.of(1_000, 2_000), values: Float64Array.of(1, 3) }];
  expect(await written({ kind: "samples", series })).toEqual({
    ...{ resultType: "matrix", result: [{ metric, values: cells }] },
  });
});

test.each<[value: number, text: string]>([
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
  [-0, "-0"],
  [0.1, "0.1"],
  [1e-7, "1e-07"],
  [1.5e21, "1.5e+21"],
  [1e100, "1e+100"],
  [123_456_789_012, "123456789012"],
])("the value %s is %j", async (value, text) => {
  expect((await written({ kind: "scalar", atMs: 0, value })).result).toEqual([0, text]);
});

test("what is cut says so, and what is said of a query is told", async () => {
  const points = [1, 2, 3].map((value) => ({ labels, value }));
  const result = { answer: { kind: "vector", atMs: 0, points } as const, warnings: ["w"], infos: ["i"] };
  const envelope = JSON.parse(await writeResult(result, 2));
  expect(envelope.data.result).toHaveLength(2);
  expect(envelope).toMatchObject({ warnings: ["w", "results truncated due to limit"], infos: ["i"] });
  expect(JSON.parse(await writeResult(result, 3))).toMatchObject({ warnings: ["w"] });
  expect(writeAnswer(["a"])).toBe('{"status":"success","data":["a"]}');
});
