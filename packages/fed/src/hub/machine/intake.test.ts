import { describe, expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeTrace } from "#base/trace.ts";
import type { Batch } from "#engine/tsdb/tsdb.ts";
import type { Collector, RawTick } from "#port/collector.ts";
import { samplesOf, stubCollector, tickOf } from "./fleet.scene.ts";
import { openIntake } from "./intake.ts";
import type { Seen } from "./machine.ts";

function makeScene(collector: Collector = stubCollector) {
  const clock = handClock();
  const kept: { readonly batch: Batch; readonly machine: string; readonly age: string }[] = [];
  const seen: Seen[] = [];
  const ticks: unknown[] = [];
  const said: string[] = [];
  const store = { refuses: 0 };
  const intake = openIntake({
    ...{ collector, clock },
    trace: makeTrace(
      () => 0,
      "debug",
      ({ message }) => void said.push(message),
    ),
    async keep(batch, machine, age) {
      kept.push({ batch, machine, age });
      const refused = Math.min(store.refuses, batch.times.length);
      const refusals = [{ kind: "too old", row: 0, message: "cpu_value is too old" } as const].slice(0, refused);
      return { added: batch.times.length - refused, same: 0, refused, refusals };
    },
    saw: (_machine, one) => void seen.push(one),
    ticked: (tick) => void ticks.push(tick),
  });
  return { clock, intake, kept, seen, ticks, said, store, nowMs: () => clock.nowMs() };
}

const saying = (read: ReturnType<Collector["openReading"]>): Collector => ({
  ...stubCollector,
  openReading: () => read,
});
const tick = (sections: readonly string[], machineMs = 0): RawTick =>
  tickOf(1, machineMs, Object.fromEntries(sections.map((name) => [name, { samples: { [`${name}_value`]: 1 } }])));

describe("the intake", () => {
  test("keeps a tick before it says that its samples can be asked for", async () => {
    const { intake, kept, ticks, seen, nowMs } = makeScene();
    const taking = intake.take("node5", tick(["cpu"]), nowMs(), { atMs: nowMs() - 40, tookMs: 40 });
    expect(seen).toHaveLength(1);
    expect(ticks).toEqual([]);
    await taking;
    expect(ticks).toEqual([{ machine: "node5", atMs: nowMs() - 40 }]);
    expect(samplesOf(kept[0]?.batch ?? expect.unreachable())).toEqual({
      ...{ cpu_value: 1, up: 1, scrape_duration_seconds: 0.04, scrape_samples_scraped: 1 },
    });
    expect([...(kept[0]?.batch.times ?? [])].every((time) => time === nowMs() - 40)).toBe(true);
  });

  test("a machine whose clock is ahead cannot write into the future", async () => {
    const { intake, kept, nowMs } = makeScene();
    await intake.take("node5", tick(["cpu"], nowMs() + 86_400_000), nowMs());
    expect(kept[0]?.batch.times[0]).toBe(nowMs());
  });

  test("knows when each collector was asked: until then one that had failed may fail still", async () => {
    const { intake, seen, nowMs } = makeScene();
    for (const sections of [["cpu"], ["cpu", "facts"], ["units"], ["disks", "updates"], ["cpu"]]) {
      await intake.take("node5", tick(sections), nowMs());
    }
    expect(seen.map(({ complete }) => complete)).toEqual([false, false, false, true, true]);
    intake.restart("node5");
    await intake.take("node5", tick(["cpu"]), nowMs());
    expect(seen.at(-1)?.complete).toBe(false);
  });

  test("ten million series are five thousand, and a problem that says so", async () => {
    let n = 0;
    const many = saying((_tick, sink) => {
      for (let i = 0; i < 20_000; i++) sink("node_load1", i, { series: `${n++}` }, "cpu");
      return { failures: [] };
    });
    const { intake, kept, seen, nowMs } = makeScene(many);
    for (let i = 0; i < 20; i++) await intake.take("node5", tick(["cpu"]), nowMs());
    expect(kept[0]?.batch.labels.length).toBeLessThanOrEqual(5_002);
    const all = new Set(kept.flatMap(({ batch }) => batch.labels));
    expect(all.size).toBeLessThanOrEqual(10_003);
    expect(seen[0]?.telling?.failures).toEqual([
      { section: "series", reason: expect.stringContaining("more than 5000 series: 15000 samples") },
    ]);
  });

  test("a tick that the store refuses is a problem until one is taken; a sample that it refuses is none", async () => {
    const { intake, seen, store, nowMs } = makeScene();
    for (const refuses of [100, 1, 0]) {
      store.refuses = refuses;
      await intake.take("node5", tick(["cpu"]), nowMs(), { atMs: nowMs(), tookMs: 40 });
    }
    await intake.take("node5", tick(["cpu"]), nowMs(), { atMs: nowMs(), tookMs: 40 });
    expect(seen.map(({ telling }) => telling?.failures)).toEqual([
      [],
      [{ section: "series", reason: "4 samples of its last tick were not taken: cpu_value is too old" }],
      [],
      [],
    ]);
  });

  test("a reader that throws is a mistake of fed, and ends nothing else", async () => {
    const broken = saying(() => {
      throw new TypeError("undefined is not a function");
    });
    const { intake, kept, seen, said, nowMs } = makeScene(broken);
    await intake.take("node5", tick(["cpu"], nowMs()), nowMs());
    expect(seen[0]?.telling?.failures).toMatchObject([{ section: "program" }]);
    expect(said).toEqual(["a tick could not be read"]);
    expect(samplesOf(kept[0]?.batch ?? expect.unreachable())).toMatchObject({ up: 1 });
  });

  test("a tick that comes again after it could not be kept is the same samples", async () => {
    const { intake, kept, nowMs } = makeScene();
    await intake.take("node5", tick(["cpu"], nowMs()), nowMs());
    await intake.take("node5", tick(["cpu"], nowMs()), nowMs());
    expect(kept[1]?.batch.labels).toEqual(kept[0]?.batch.labels);
    expect(kept[1]?.batch.values).toEqual(kept[0]?.batch.values);
  });

  test("series of a machine that went end once; then only `up` is told", async () => {
    const { intake, kept, nowMs } = makeScene();
    await intake.take("node5", tick(["cpu"]), nowMs());
    await intake.missed("node5", false);
    await intake.missed("node5", true);
    await intake.missed("node5", true);
    expect(kept.slice(1).map(({ batch }) => samplesOf(batch))).toEqual([
      { up: 0 },
      { up: 0, cpu_value: "end", scrape_duration_seconds: "end", scrape_samples_scraped: "end" },
      { up: 0 },
    ]);
    await intake.forget("nobody");
    expect(kept).toHaveLength(4);
  });
});
