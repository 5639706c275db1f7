import { expect, test } from "vitest";
import type { Answer, Result } from "#engine/promql/result.ts";
import { queryAnswerShape } from "#wire/metric.ts";
import { piecesOfList, piecesOfResult, writeAnswer } from "./answer.ts";

const labels = ["__name__", 'a"b', "job", "x"];
const print = (result: Result, limit?: number) => Buffer.concat([...piecesOfResult(result, limit)]).toString();
const written = async (answer: Answer, limit?: number) =>
  queryAnswerShape.parse(JSON.parse(print({ answer, warnings: [], infos: [] }, limit))).data;

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

test("an answer of many pieces is whole, gaps left out", () => {
  const steps = 20_000;
  const values = Float64Array.from({ length: steps }, (_, i) => i / 7);
  const present = Uint8Array.from({ length: steps }, (_, i) => (i % 5 === 0 ? 0 : 1));
  const columns = [0, 1, 2].map((nth) => ({ labels: ["n", `é${nth}`], values, present }));
  const answer: Answer = { kind: "matrix", startMs: 1_500, stepMs: 1_000, steps, columns };
  const pieces = [...piecesOfResult({ answer, warnings: [], infos: [] })];
  expect(pieces.length).toBeGreaterThan(4);
  const data = queryAnswerShape.parse(JSON.parse(Buffer.concat(pieces).toString())).data;
  const cells = Array.from(values, (value, i) => [1.5 + i, String(value)]).filter((_, i) => present[i] === 1);
  expect(data).toEqual({
    resultType: "matrix",
    result: columns.map((_, nth) => ({ metric: { n: `é${nth}` }, values: cells })),
  });
  const series = columns.map(({ labels }) => ({ labels, times: values.map((_, i) => 1_500 + i * 1_000), values }));
  const all = JSON.parse(print({ answer: { kind: "samples", series }, warnings: [], infos: [] })).data;
  expect(all.result[2].values).toEqual(Array.from(values, (value, i) => [1.5 + i, String(value)]));
});

test("a column without a value, and none at all", async () => {
  const empty = { labels, values: new Float64Array(2), present: new Uint8Array(2) };
  const range = { startMs: 0, stepMs: 1, steps: 2 } as const;
  expect((await written({ kind: "matrix", ...range, columns: [empty] })).result).toMatchObject([{ values: [] }]);
  expect((await written({ kind: "matrix", ...range, columns: [] })).result).toEqual([]);
  expect((await written({ kind: "vector", atMs: 0, points: [] })).result).toEqual([]);
});

test("what is cut says so, and what is said of a query is told", async () => {
  const points = [1, 2, 3].map((value) => ({ labels, value }));
  const result = { answer: { kind: "vector", atMs: 0, points } as const, warnings: ["w"], infos: ["i"] };
  const envelope = JSON.parse(print(result, 2));
  expect(envelope.data.result).toHaveLength(2);
  expect(envelope).toMatchObject({ warnings: ["results truncated due to limit", "w"], infos: ["i"] });
  expect(JSON.parse(print(result, 3))).toMatchObject({ warnings: ["w"] });
  expect(writeAnswer(["a"])).toBe('{"status":"success","data":["a"]}');
  const list = (limit: number) => JSON.parse(Buffer.concat([...piecesOfList([1, 2], limit, String)]).toString());
  expect(list(0)).toEqual({ status: "success", data: ["1", "2"] });
  expect(list(1)).toEqual({ status: "success", data: ["1"], warnings: ["results truncated due to limit"] });
});

test("ten warnings and infos at most, and how many more there are", () => {
  const answer: Answer = { kind: "scalar", atMs: 0, value: 1 };
  const many = Array.from({ length: 12 }, (_, i) => `n${i}`);
  const { warnings, infos } = JSON.parse(print({ answer, warnings: many, infos: many.slice(0, 10) }));
  expect(warnings).toEqual([...many.slice(0, 10), "2 more warning annotations omitted"]);
  expect(infos).toEqual(many.slice(0, 10));
});
