import { expect, test } from "vitest";
import { isLate, makeBoard } from "./board-ask.ts";
import type { Line } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";

interface Open {
  readonly query: string;
  readonly grid: Grid;
  readonly signal: AbortSignal;
  answer(lines: readonly Line[]): void;
  fail(thrown: unknown): void;
}

const figures = ["cpu", "disk"].map((id) => ({ id, steps: `steps_${id}`, now: `now_${id}` }));
const wanted = { figures, lengthMs: 3_000, stepMs: 1_000 };
const line = (...values: readonly number[]): Line => ({ labels: {}, values: Float64Array.from(values) });
const markedLine = (id: string, ...values: readonly number[]): Line => ({
  ...line(...values),
  labels: { fed_figure: id },
});

/** A hub that answers when it is told to. */
function makeStage() {
  const open: Open[] = [];
  const ask = (query: string, grid: Grid, signal: AbortSignal): Promise<readonly Line[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Line[]>();
    open.push({ query, grid, signal, answer: resolve, fail: reject });
    return promise;
  };
  const board = makeBoard({
    range: ask,
    instant: (query, atMs, signal) => ask(query, { startMs: atMs, endMs: atMs, stepMs: 0 }, signal),
    nowMs: () => 10_000,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const valuesOf = (id: string) =>
    board
      .read()
      ?.told.get(id)
      ?.lines.map(({ values }) => [...values]);
  return { board, open, settle, valuesOf };
}

async function loaded() {
  const stage = makeStage();
  stage.board.show(wanted);
  for (const { answer } of stage.open.splice(0)) answer([line(1, 2, 3, 4)]);
  await stage.settle();
  return stage;
}

test("each figure is asked for once as a whole, and shown as soon as it is there, whatever becomes of the others", async () => {
  const { board, open, settle, valuesOf } = makeStage();
  board.show(wanted);
  expect(open.map(({ query, grid }) => [query, grid])).toEqual([
    ["steps_cpu", { startMs: 7_000, endMs: 10_000, stepMs: 1_000 }],
    ["steps_disk", { startMs: 7_000, endMs: 10_000, stepMs: 1_000 }],
  ]);
  open[1]?.fail(new Error("no"));
  open[0]?.answer([line(1, 2, 3, 4)]);
  await settle();
  expect(valuesOf("cpu")).toEqual([[1, 2, 3, 4]]);
  expect(board.read()?.told.get("disk")).toMatchObject({ lines: [], failure: { thrown: new Error("no") } });
});

test("a tick asks for what is new alone, once for all figures", async () => {
  const { board, open, settle, valuesOf } = await loaded();
  board.tick(11_300);
  expect(open.map(({ query, grid }) => [/now/.test(query), grid.startMs, grid.endMs])).toEqual([
    [false, 11_000, 11_000],
    [true, 11_300, 11_300],
  ]);
  open[0]?.answer([markedLine("cpu", 5)]);
  open[1]?.answer([markedLine("cpu", 6), markedLine("disk", 7)]);
  await settle();
  expect(board.read()?.grid).toEqual({ startMs: 8_000, endMs: 11_000, stepMs: 1_000, tailMs: 11_300 });
  expect(valuesOf("cpu")).toEqual([[2, 3, 4, 5, 6]]);
  expect(valuesOf("disk")).toEqual([[2, 3, 4, Number.NaN, 7]]);
});

test("while an answer is on its way ticks wait, and only the latest is asked for", async () => {
  const { board, open, settle, valuesOf } = await loaded();
  board.tick(10_100);
  for (const atMs of [10_200, 10_300, 10_400]) board.tick(atMs);
  expect(open).toHaveLength(1);
  open.pop()?.answer([markedLine("cpu", 9)]);
  await settle();
  expect(open.map(({ grid }) => grid.startMs)).toEqual([10_400]);
  open.pop()?.answer([markedLine("cpu", 11)]);
  await settle();
  expect(open).toEqual([]);
  expect(valuesOf("cpu")?.[0]?.at(-1)).toBe(11);
});

test("after a long silence all of it is asked for anew, and what came late to another stretch is not heard", async () => {
  const { board, open, settle } = await loaded();
  board.tick(60_000);
  expect(open.map(({ query }) => query)).toEqual(["steps_cpu", "steps_disk"]);
  const [first] = open.splice(0);
  board.show({ ...wanted, lengthMs: 1_000, endMs: 5_000 });
  expect(first?.signal.aborted).toBe(true);
  first?.answer([line(99)]);
  for (const { answer } of open.splice(0)) answer([line(1, 2)]);
  await settle();
  expect(board.read()?.grid).toEqual({ startMs: 4_000, endMs: 5_000, stepMs: 1_000 });
  board.tick(70_000);
  expect(open).toEqual([]);
});

test("a hub that does not answer a tick leaves what is shown, and the next tick has what was missed", async () => {
  const { board, open, settle, valuesOf } = await loaded();
  board.tick(11_000);
  for (const { fail } of open.splice(0)) fail(new Error("away"));
  await settle();
  expect(board.read()).toMatchObject({ failure: { thrown: new Error("away") }, grid: { endMs: 10_000 } });
  expect(valuesOf("cpu")).toEqual([[1, 2, 3, 4]]);
  board.tick(12_000);
  expect(open.map(({ grid }) => [grid.startMs, grid.endMs])).toEqual([[11_000, 12_000]]);
  open[0]?.answer([markedLine("cpu", 5, 6)]);
  await settle();
  expect(board.read()?.failure).toBeUndefined();
  expect(valuesOf("cpu")).toEqual([[3, 4, 5, 6]]);
});

test("a tick is late when it tells of steps that are drawn already", () => {
  const state = { grid: { startMs: 1_000, endMs: 9_000, stepMs: 1_000 }, told: new Map() };
  const times = [999, 1_000, 6_999, 7_000, 9_500];
  expect(times.map((atMs) => isLate(state, atMs))).toEqual([false, true, true, false, false]);
  expect(isLate(undefined, 1)).toBe(false);
});

test("one that was closed asks and tells no more", async () => {
  const { board, open, settle } = await loaded();
  board.tick(10_500);
  board.close();
  expect(open[0]?.signal.aborted).toBe(true);
  open[0]?.answer([markedLine("cpu", 5)]);
  await settle();
  board.tick(11_000);
  expect(open).toHaveLength(1);
});
