import fc from "fast-check";
import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeMeter } from "#base/meter.ts";
import { silentTrace } from "#base/trace.ts";
import { type LoopSpec, openScheduler } from "./scheduler.ts";

function makeStage(random = 0.5) {
  const clock = handClock();
  const meter = makeMeter();
  const turns: string[] = [];
  const scheduler = openScheduler({
    ...{ clock, meter, trace: silentTrace, random: () => random },
    onTurn: (loop, { kind, reason }) => turns.push(`${loop} ${kind} ${reason}`),
  });
  const spec = (run: LoopSpec["run"], more: Partial<LoopSpec> = {}): LoopSpec => ({
    ...{ name: "a.loop", intervalMs: 1_000, jitter: 0, timeoutMs: 500, run },
    ...more,
  });
  return { clock, meter, scheduler, spec, turns };
}

test("runs after each interval, counted from the end of the run before", async () => {
  const { clock, scheduler, spec } = makeStage();
  let runs = 0;
  const gates: (() => void)[] = [];
  scheduler.add(
    spec(() => {
      runs++;
      return new Promise((resolve) => gates.push(resolve));
    }),
  );
  await clock.turn(999);
  expect(runs).toBe(0);
  await clock.turn(1);
  expect(runs).toBe(1);
  await clock.turn(200);
  gates.pop()?.();
  await clock.turn(999);
  expect(runs).toBe(1);
  await clock.turn(1);
  expect(runs).toBe(2);
  expect(scheduler.loops()[0]).toMatchObject({ state: "running", runs: 1, last: { outcome: "ok", tookMs: 200 } });
  gates.pop()?.();
  await scheduler.close();
});

test("a run that ignores its deadline is told as timed out, and the next one still waits for its end", async () => {
  const { clock, scheduler, spec, meter, turns } = makeStage();
  let runs = 0;
  const gates: (() => void)[] = [];
  scheduler.add(
    spec(
      () => {
        runs++;
        return new Promise((resolve) => gates.push(resolve));
      },
      { immediately: true },
    ),
  );
  await clock.turn(600);
  expect(scheduler.loops()[0]?.last?.outcome).toBe("timedOut");
  await clock.turn(10_000);
  expect(runs).toBe(1);
  gates[0]?.();
  await clock.turn(1_000);
  expect(runs).toBe(2);
  gates[1]?.();
  await clock.turn(0);
  expect(turns).toEqual(["a.loop timedOut a.loop took longer than 500 ms", "a.loop ok "]);
  expect(meter.render()).toContain('fed_loop_runs_total{loop="a.loop",outcome="timedOut"} 1');
  await scheduler.close();
});

test("a loop that fails goes on at its pace, and its turn for the worse and the better is told once", async () => {
  const { clock, scheduler, spec, turns } = makeStage();
  let runs = 0;
  scheduler.add(
    spec(async () => {
      runs++;
      if (runs === 2 || runs === 3) throw new Error("no answer");
    }),
  );
  await clock.turn(5_500);
  expect(runs).toBe(5);
  expect(turns).toEqual(["a.loop failed no answer", "a.loop ok "]);
  expect(scheduler.loops()[0]).toMatchObject({ runs: 5, failures: 2, last: { outcome: "ok" } });
  await scheduler.close();
});

test("waking many times is one run, and one more when it runs already", async () => {
  const { clock, scheduler, spec } = makeStage();
  let runs = 0;
  const gates: (() => void)[] = [];
  const loop = scheduler.add(
    spec(() => {
      runs++;
      return new Promise((resolve) => gates.push(resolve));
    }),
  );
  loop.wake();
  loop.wake();
  await clock.turn(1);
  expect(runs).toBe(1);
  loop.wake();
  loop.wake();
  gates.pop()?.();
  await clock.turn(1);
  expect(runs).toBe(2);
  gates.pop()?.();
  await clock.turn(500);
  expect(runs).toBe(2);
  await scheduler.close();
});

test("jitter makes the wait longer or shorter by its share", async () => {
  for (const [random, waitMs] of [
    [0, 900],
    [1, 1_100],
  ] as const) {
    const { clock, scheduler, spec } = makeStage(random);
    let runs = 0;
    scheduler.add(spec(async () => void runs++, { jitter: 0.1, immediately: true }));
    await clock.turn(waitMs - 1);
    expect(runs).toBe(1);
    await clock.turn(1);
    expect(runs).toBe(2);
    await scheduler.close();
  }
});

test("closing asks what runs to end, waits for it, and leaves no timer", async () => {
  const { clock, scheduler, spec } = makeStage();
  let ended = false;
  scheduler.add(
    spec(
      (signal) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            ended = true;
            resolve();
          }),
        ),
      { immediately: true },
    ),
  );
  scheduler.add(spec(async () => {}, { name: "b.loop" }));
  await clock.turn(1);
  await scheduler.close();
  expect(ended).toBe(true);
  expect(clock.waiting).toBe(0);
  expect(scheduler.loops().map(({ state }) => state)).toEqual(["stopped", "stopped"]);
});

test("closing gives up on what does not end", async () => {
  const { clock, scheduler, spec } = makeStage();
  scheduler.add(spec(() => new Promise(() => {}), { immediately: true }));
  await clock.turn(1);
  let closed = false;
  const closing = scheduler.close().then(() => {
    closed = true;
  });
  await clock.turn(4_999);
  expect(closed).toBe(false);
  await clock.turn(1);
  await closing;
});

test("whatever happens, no loop runs twice at a time and none is forgotten", async () => {
  const deed = fc.oneof(
    fc.record({ kind: fc.constant("turn" as const), byMs: fc.nat(1_500) }),
    fc.record({ kind: fc.constant("wake" as const) }),
    fc.record({ kind: fc.constant("end" as const), fails: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 30 }), async (deeds) => {
      const { clock, scheduler, spec } = makeStage();
      let running = 0;
      let most = 0;
      let runs = 0;
      const gates: ((fails: boolean) => void)[] = [];
      const loop = scheduler.add(
        spec(async () => {
          runs++;
          most = Math.max(most, ++running);
          const fails = await new Promise<boolean>((resolve) => gates.push(resolve));
          running--;
          if (fails) throw new Error("no");
        }),
      );
      for (const one of deeds) {
        if (one.kind === "turn") await clock.turn(one.byMs);
        else if (one.kind === "wake") loop.wake();
        else {
          gates.shift()?.(one.fails);
          await clock.turn(0);
        }
      }
      expect(most).toBeLessThanOrEqual(1);
      const before = runs;
      while (gates.length > 0) gates.shift()?.(false);
      await clock.turn(1_000);
      expect(runs).toBeGreaterThan(running === 1 ? before - 1 : before);
      while (gates.length > 0) gates.shift()?.(false);
      await scheduler.close();
    }),
    { numRuns: 200 },
  );
});

test("a loop that turns by itself is kept as the others are: its runs side by side, its last outcome, its turns", async () => {
  const { clock, scheduler, spec, meter, turns } = makeStage();
  scheduler.add(spec(async () => {}));
  const begin = scheduler.follow({ name: "b.loop", timeoutMs: 7 });
  expect(() => scheduler.follow({ name: "a.loop", timeoutMs: 7 })).toThrow("two loops");
  const followed = () => scheduler.loops().find(({ name }) => name === "b.loop");
  expect(followed()).toEqual({
    ...{ name: "b.loop", intervalMs: 0, timeoutMs: 7, state: "waiting", runs: 0, failures: 0 },
  });
  expect(meter.render()).not.toContain("fed_loop_last_outcome{");
  const [one, other] = [begin(), begin()];
  await clock.turn(30);
  one();
  expect(followed()).toMatchObject({ state: "running", runs: 1, last: { outcome: "ok", tookMs: 30 } });
  expect(meter.render()).toContain('fed_loop_last_outcome{loop="b.loop",outcome="ok"} 1');
  other("no room");
  expect(followed()).toMatchObject({ state: "waiting", runs: 2, failures: 1, last: { outcome: "failed" } });
  const told = meter.render();
  expect(told).toContain('fed_loop_last_outcome{loop="b.loop",outcome="ok"} 0');
  expect(told).toContain('fed_loop_last_outcome{loop="b.loop",outcome="failed"} 1');
  expect(told).toContain('fed_loop_runs_total{loop="b.loop",outcome="failed"} 1');
  begin()();
  expect(turns).toEqual(["b.loop failed no room", "b.loop ok "]);
  const late = begin();
  await scheduler.close();
  late();
  expect(followed()).toMatchObject({ state: "stopped", runs: 3 });
});
