import { expect, test } from "vitest";
import { type Ask, makeAsker, type Told } from "./metrics-ask.ts";

const grid = { startMs: 0, endMs: 1_000, stepMs: 1_000 };
const askFor = (text: string, more: Partial<Ask> = {}): Ask => ({
  id: "A",
  text,
  kind: "range",
  grid,
  turn: 0,
  ...more,
});
const told = (warning: string): Told => ({
  answer: { kind: "range", grid, lines: [] },
  warnings: [warning],
  infos: [],
});

/** A hub that answers when it is told to. */
function makeStage() {
  const open: {
    readonly ask: Ask;
    readonly signal: AbortSignal;
    answer(told: Told): void;
    fail(thrown: unknown): void;
  }[] = [];
  const asker = makeAsker({
    nowMs: () => 7,
    tell(ask, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Told>();
      open.push({ ask, signal, answer: resolve, fail: reject });
      return promise;
    },
  });
  return { asker, open, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

test("each is asked once; the last answer stays until the next one is there", async () => {
  const { asker, open, settle } = makeStage();
  asker.ask([askFor("up")]);
  asker.ask([askFor("up")]);
  expect(open).toHaveLength(1);
  open[0]?.answer(told("first"));
  await settle();
  asker.ask([askFor("down")]);
  // What is shown is still the answer to the question before, and says so.
  const { ask, answered, busy, atMs, told: shown } = asker.read().get("A") ?? {};
  expect([ask?.text, answered?.text, busy, atMs, shown?.warnings]).toEqual(["down", "up", true, 7, ["first"]]);
  open[1]?.answer(told("second"));
  await settle();
  expect(asker.read().get("A")).toMatchObject({ busy: false, told: { warnings: ["second"] } });
});

test("what is wanted no more is broken off, and its late answer is not heard", async () => {
  const { asker, open, settle } = makeStage();
  asker.ask([askFor("up"), askFor("down", { id: "B" })]);
  asker.ask([askFor("other")]);
  expect(open.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  open[0]?.answer(told("late"));
  open[2]?.answer(told("right"));
  await settle();
  expect([...asker.read()].map(([id, { told: one }]) => [id, one?.warnings])).toEqual([["A", ["right"]]]);
  asker.close();
});

test("a hub that is away leaves the old answer, a query that fails does not", async () => {
  const { asker, open, settle } = makeStage();
  asker.ask([askFor("up")]);
  open[0]?.answer(told("good"));
  await settle();
  asker.ask([askFor("up", { turn: 1 })]);
  open[1]?.fail({ code: "unreachable" });
  await settle();
  expect(asker.read().get("A")).toMatchObject({ busy: false, told: { warnings: ["good"] }, failure: {} });
  asker.ask([askFor("up", { turn: 2 })]);
  open[2]?.fail({ code: "invalid" });
  await settle();
  expect(asker.read().get("A")?.told).toBeUndefined();
});

test("an answer to another kind of question is not shown for this one", async () => {
  const { asker, open, settle } = makeStage();
  asker.ask([askFor("up")]);
  open[0]?.answer(told("range"));
  await settle();
  asker.ask([askFor("up", { kind: "instant" })]);
  expect(asker.read().get("A")?.told).toBeUndefined();
});
