import fc from "fast-check";
import { expect, test } from "vitest";
import { sleep } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import type { GraphNode } from "./order.ts";
import { type GraphOptions, type GraphOutcome, runGraph } from "./run.ts";

interface TimedStep extends GraphNode {
  readonly takesMs: number;
  readonly fails?: boolean;
}

/** "c 20 fails: a b" is a step c of 20 ms that then fails, after a and b. */
function parse(text: string): TimedStep[] {
  return text.split("\n").map((line) => {
    const [head = "", after = ""] = line.split(":");
    const [id = "", takes = "0", fails] = head.trim().split(" ");
    const words = after.split(" ").filter((word) => word !== "");
    return { id, takesMs: Number(takes), after: words, fails: fails === "fails" };
  });
}

/** Runs a script on a hand clock for `ms`; what happened reads as "10 a started". */
async function play(text: string, ms: number, given: Partial<GraphOptions<TimedStep>> = {}) {
  const clock = handClock(0);
  const told: string[] = [];
  let outcome: GraphOutcome | undefined;
  const run = runGraph(
    parse(text),
    async (step, signal) => {
      await sleep(clock, step.takesMs, signal);
      if (step.fails) throw new Fault("unreachable", `${step.id} broke`);
    },
    {
      clock,
      concurrency: 4,
      deadlineMs: 1_000,
      onEvent: (event) => told.push(`${event.atMs} ${event.step.id} ${event.kind}`),
      ...given,
    },
  ).then((value) => {
    outcome = value;
  });
  await clock.turn(ms);
  return { clock, told, run, outcome: () => outcome };
}

test("runs each step as soon as those it waits for have succeeded", async () => {
  const { told, outcome, clock } = await play("a 10:\nb 30:\nc 5: a\nd 1: b c", 100);
  expect(told).toEqual([
    "0 a started",
    "0 b started",
    "10 a succeeded",
    "10 c started",
    "15 c succeeded",
    "30 b succeeded",
    "30 d started",
    "31 d succeeded",
  ]);
  expect(outcome()?.kind).toBe("done");
  expect(outcome()?.steps.get("c")).toEqual({ kind: "succeeded", tookMs: 5 });
  expect(clock.waiting).toBe(0);
});

test("runs so many at once, in the order of the list", async () => {
  const { told } = await play("d 10:\nc 10:\nb 10:\na 10:", 100, { concurrency: 2 });
  const started = told.filter((line) => line.endsWith("started"));
  expect(started).toEqual(["0 d started", "0 c started", "10 b started", "10 a started"]);
});

test("what becomes ready does not push in before the earlier in the list", async () => {
  const { told } = await play("r 1:\nx 1:\ny 1:\nz 1: r\nw 1: r", 100, { concurrency: 1 });
  const started = told.filter((line) => line.endsWith("started"));
  expect(started).toEqual(["0 r started", "1 x started", "2 y started", "3 z started", "4 w started"]);
});

test("a failed step takes with it what waits for it, and nothing else", async () => {
  const { told, outcome } = await play("a 10 fails:\nb 1: a\nc 1: b\nd 20:\ne 1: d", 100);
  expect(told).toEqual([
    "0 a started",
    "0 d started",
    "10 a failed",
    "10 b skipped",
    "10 c skipped",
    "20 d succeeded",
    "20 e started",
    "21 e succeeded",
  ]);
  expect(outcome()?.kind).toBe("failed");
  expect(outcome()?.steps.get("c")).toEqual({ kind: "skipped", because: "a" });
  expect(outcome()?.steps.get("a")).toMatchObject({ kind: "failed", tookMs: 10, fault: { code: "unreachable" } });
});

test("a step that throws before it waits has failed; what is no Fault is one of code internal", async () => {
  const outcome = await runGraph(
    [{ id: "a", after: [] }],
    () => {
      throw new RangeError("off by one");
    },
    { clock: handClock(), concurrency: 1, deadlineMs: 1 },
  );
  expect(outcome.steps.get("a")).toMatchObject({ kind: "failed", fault: { code: "internal", message: "off by one" } });
});

test("a step that takes too long has failed with a timeout, its signal aborted", async () => {
  const { told, outcome } = await play("a 500:\nb 1: a", 100, { deadlineMs: 50 });
  expect(told).toEqual(["0 a started", "50 a failed", "50 b skipped"]);
  expect(outcome()?.steps.get("a")).toMatchObject({
    fault: { code: "timeout", message: "a took longer than 50 ms" },
  });
});

test("a step deaf to its signal is left behind after a while", async () => {
  const clock = handClock(0);
  const told: string[] = [];
  const run = runGraph([{ id: "a", after: [] }], () => new Promise(() => {}), {
    clock,
    concurrency: 1,
    deadlineMs: 50,
    tidyMs: 20,
    onEvent: ({ kind, atMs }) => told.push(`${atMs} ${kind}`),
  });
  await clock.turn(100);
  expect((await run).kind).toBe("failed");
  expect(told).toEqual(["0 started", "70 failed"]);
  expect(clock.waiting).toBe(0);
});

test("an abort breaks off what runs and cancels what waits", async () => {
  const stop = new AbortController();
  const { told, run, outcome, clock } = await play("a 10:\nb 50:\nc 1: b", 20, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await run;
  expect(told.slice(3)).toEqual(["20 c cancelled", "20 b cancelled"]);
  expect(outcome()).toEqual({
    kind: "cancelled",
    steps: new Map<string, unknown>([
      ["a", { kind: "succeeded", tookMs: 10 }],
      ["b", { kind: "cancelled", tookMs: 20 }],
      ["c", { kind: "cancelled" }],
    ]),
  });
  expect(clock.waiting).toBe(0);
});

test("a step that finishes although its run was aborted has succeeded", async () => {
  const clock = handClock(0);
  const stop = new AbortController();
  const run = runGraph([{ id: "a", after: [] }], () => sleep(clock, 30), {
    clock,
    concurrency: 1,
    deadlineMs: 100,
    signal: stop.signal,
  });
  await clock.turn(10);
  stop.abort();
  await clock.turn(100);
  expect((await run).steps.get("a")).toEqual({ kind: "succeeded", tookMs: 30 });
});

test("under an aborted signal nothing begins", async () => {
  const { told, outcome } = await play("a 1:\nb 1: a", 10, { signal: AbortSignal.abort() });
  expect(told).toEqual(["0 a cancelled", "0 b cancelled"]);
  expect(outcome()?.kind).toBe("cancelled");
});

test("a listener that throws breaks the run off, and its throw is the run's", async () => {
  const clock = handClock(0);
  const began: string[] = [];
  const run = runGraph(
    parse("a 10:\nb 10:\nc 1: a"),
    async (step, signal) => {
      began.push(step.id);
      await sleep(clock, step.takesMs, signal);
    },
    {
      clock,
      concurrency: 2,
      deadlineMs: 100,
      onEvent: ({ kind, step }) => {
        if (kind === "started" && step.id === "b") throw new Error("the screen is gone");
      },
    },
  );
  await expect(run).rejects.toThrow("the screen is gone");
  expect(began).toEqual(["a"]);
  expect(clock.waiting).toBe(0);
});

test.each([
  ["a: b\nb: a", "steps wait for each other: a → b → a"],
  ["a:\na:", 'two steps have the id "a"'],
  ["a: z", 'step "a" waits for "z", which is not among the steps'],
])("refuses what is no graph: %j", async (text, message) => {
  await expect(play(text, 1).then(({ run }) => run)).rejects.toMatchObject({ code: "invalid", message });
});

test("any graph: order, limit and one end for each step, whatever fails", async () => {
  const graph = fc.array(
    fc.record({ before: fc.array(fc.nat(), { maxLength: 3 }), takesMs: fc.nat(20), fails: fc.boolean() }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(graph, fc.integer({ min: 1, max: 4 }), async (rows, concurrency) => {
      const steps = rows.map(({ before, takesMs, fails }, index) => {
        const after = index === 0 ? [] : before.map((at) => `n${at % index}`);
        return `n${index} ${takesMs}${fails && index % 3 === 0 ? " fails" : ""}: ${after.join(" ")}`;
      });
      if (steps.length === 0) return;
      const parsed = new Map(parse(steps.join("\n")).map((step) => [step.id, step]));
      const { told, outcome } = await play(steps.join("\n"), 1_000, { concurrency });
      const succeeded = new Set<string>();
      let running = 0;
      for (const line of told) {
        const [, id = "", kind] = line.split(" ");
        if (kind === "started") {
          expect(parsed.get(id)?.after.every((before) => succeeded.has(before))).toBe(true);
          expect(++running).toBeLessThanOrEqual(concurrency);
        } else if (kind !== "skipped") running--;
        if (kind === "succeeded") succeeded.add(id);
      }
      expect(told.filter((line) => !line.endsWith("started")).length).toBe(steps.length);
      expect([...(outcome()?.steps.keys() ?? [])]).toEqual([...parsed.keys()]);
      expect([...(outcome()?.steps.values() ?? [])].some(({ kind }) => kind === "cancelled")).toBe(false);
    }),
    { numRuns: 100 },
  );
});
