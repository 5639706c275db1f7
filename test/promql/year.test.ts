import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomOf } from "../../bench/node-series.ts";
import { type HandClock, handClock } from "../../packages/fed/src/base/hand-clock.ts";
import { evaluate } from "../../packages/fed/src/engine/promql/evaluate.ts";
import { parse } from "../../packages/fed/src/engine/promql/parse.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import { setStale } from "../../packages/fed/src/engine/series/series.ts";
import { usualTiers } from "../../packages/fed/src/engine/tsdb/tier.ts";
import { openTsdb, type Tsdb } from "../../packages/fed/src/engine/tsdb/tsdb.ts";

/**
 * 400 days of a store under a hand-turned clock, with restarts on the way. Samples are kept for 60 days, summaries of 5 minutes for 200,
 * those of an hour for ever: a chart of a year is of all three.
 */
const minuteMs = 60_000;
const dayMs = 86_400_000;
const days = 400;
const everyMs = 4 * minuteMs;
const startMs = 19_000 * dayMs;
const machines = 2;
const perS = 0.5;
const retain = { samplesMs: 60 * dayMs, fineMs: 200 * dayMs };

/** Bytes that one may take, as the decision on tiers (0021) states them, and what files cost besides. */
const budget = { sample: 1.2, fine: 5, coarse: 8, store: 150_000 };

interface Made {
  readonly labels: readonly string[];
  /** Undefined while it is away. */
  next(day: number): number | undefined;
  count: number;
  grown: number;
  last: number | undefined;
}

/** Counters that begin anew now and then, gauges from 40 to 60, a series that is there every other week, one at rest. */
function makeSeries(): Made[] {
  const random = randomOf(5);
  const nothing = { count: 0, grown: 0, last: undefined };
  return Array.from({ length: machines }, (_, nth) => {
    const host = `h${nth}`;
    let total = 0;
    let isFirst = true;
    const counter = () => {
      if (random() < 1 / 5000) total = 0;
      if (!isFirst) total += Math.floor(((perS * everyMs) / 1000) * (0.8 + 0.4 * random()));
      isFirst = false;
      return total;
    };
    return [
      { labels: labelsOf({ __name__: "work_total", host }), next: counter, ...nothing },
      { labels: labelsOf({ __name__: "heat", host }), next: () => 40 + Math.floor(random() * 200) / 10, ...nothing },
      {
        labels: labelsOf({ __name__: "guest", host }),
        next: (day: number) => (isAway(day) ? undefined : nth),
        ...nothing,
      },
      { labels: labelsOf({ __name__: "limit", host }), next: () => 1024, ...nothing },
    ];
  }).flat();
}

const isAway = (day: number) => Math.floor(day / 7) % 2 === 1;

let folder: string;
let store: Tsdb;
let clock: HandClock;
const all = makeSeries();
let mostBytes = 0;

async function appendDay(day: number): Promise<void> {
  const rows: { readonly labels: readonly string[]; readonly timeMs: number; readonly value: number | undefined }[] =
    [];
  for (let timeMs = startMs + day * dayMs + 7_000; timeMs < startMs + (day + 1) * dayMs; timeMs += everyMs) {
    for (const one of all) {
      const value = one.next(day);
      if (value === undefined && one.last === undefined) continue;
      rows.push({ labels: one.labels, timeMs, value });
      if (value !== undefined) one.count++;
      if (value !== undefined && one.last !== undefined) one.grown += value < one.last ? value : value - one.last;
      one.last = value;
    }
  }
  const values = Float64Array.from(rows, ({ value }) => value ?? 0);
  for (const [i, { value }] of rows.entries()) if (value === undefined) setStale(values, i);
  const batch = {
    labels: rows.map(({ labels }) => labels),
    times: Float64Array.from(rows, ({ timeMs }) => timeMs),
    values,
  };
  expect((await store.append(batch)).refused).toBe(0);
}

function sizeOf(path: string): number {
  return readdirSync(path, { withFileTypes: true }).reduce(
    (sum, one) => sum + (one.isDirectory() ? sizeOf(join(path, one.name)) : statSync(join(path, one.name)).size),
    0,
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fed-year-"));
  clock = handClock(startMs);
  const tiers = usualTiers(retain.fineMs);
  const options = { clock, tiers, retainMs: retain.samplesMs, spanMs: dayMs, durability: "relaxed" } as const;
  store = await openTsdb(folder, options);
  for (let day = 0; day < days; day++) {
    await clock.turn(dayMs);
    await appendDay(day);
    if (day % 23 === 11) {
      await store.close();
      store = await openTsdb(folder, options);
    }
    await store.maintain();
    if (day % 20 === 19) mostBytes = Math.max(mostBytes, sizeOf(folder));
  }
}, 120_000);

afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function chart(text: string, spanMs: number, stepMs: number) {
  const endMs = clock.nowMs() - 41_000;
  const range = { startMs: endMs - spanMs, endMs, stepMs };
  const { answer, infos } = await evaluate(parse(text), { ...range, text }, store);
  if (answer.kind !== "matrix") throw new Error(answer.kind);
  return { columns: answer.columns, infos, moment: (step: number) => range.startMs + step * stepMs };
}

async function now(text: string, atMs = clock.nowMs()): Promise<Map<string, number>> {
  const { answer } = await evaluate(parse(text), { startMs: atMs, endMs: atMs, stepMs: 0, text }, store);
  if (answer.kind !== "vector") throw new Error(answer.kind);
  return new Map(answer.points.map(({ labels, value }) => [labels.join(), value]));
}

const withoutName = (labels: readonly string[]) => labels.filter((_, i) => labels[i - (i % 2)] !== "__name__").join();

const spans = [
  ["1 h", 3_600_000, 15_000],
  ["24 h", dayMs, 5 * minuteMs],
  ["7 d", 7 * dayMs, 30 * minuteMs],
  ["30 d", 30 * dayMs, 120 * minuteMs],
  ["1 y", 365 * dayMs, 1500 * minuteMs],
] as const;

describe("400 days", () => {
  it.each(spans)("show no gap and no jump in a chart of %s", async (_, spanMs, stepMs) => {
    const steps = Math.floor(spanMs / stepMs) + 1;
    const window = `${Math.max(10, (2 * stepMs) / minuteMs)}m`;
    const texts = ["work_total", "limit", "heat", `rate(work_total[${window}])`, "rate(work_total[10m])"];
    texts.push(
      `irate(work_total[${window}])`,
      `avg_over_time(heat[${window}])`,
      `max_over_time(heat[${window}])`,
      "min_over_time(heat[10m])",
    );
    for (const text of texts) {
      const { columns, moment } = await chart(text, spanMs, stepMs);
      expect(columns.length).toBe(machines);
      for (const { values, present } of columns) {
        expect(present.length).toBe(steps);
        const gap = present.indexOf(0);
        if (gap >= 0) throw new Error(`${text} has a gap at ${new Date(moment(gap)).toISOString()}`);
        const [least, most] = text.includes("heat") ? [40, 60] : text.includes("rate(") ? [0.3, 0.7] : [0, Infinity];
        const jump = values.findIndex((value) => value < least || value > most);
        if (jump >= 0) throw new Error(`${text} is ${values[jump]} at ${new Date(moment(jump)).toISOString()}`);
      }
    }
  });

  it("count each sample once, and all that a counter has grown", async () => {
    for (const name of ["work_total", "heat", "guest", "limit"]) {
      const counts = await now(`count_over_time(${name}[${days + 1}d])`);
      for (const { labels, count } of all.filter((one) => one.labels.includes(name))) {
        expect(counts.get(withoutName(labels))).toBe(count);
      }
    }
    // A counter that began at zero is not drawn out to before; here it ends with its last sample.
    const grown = await now(`increase(work_total[${days + 1}d])`, startMs + days * dayMs - everyMs + 7_000);
    for (const { labels, grown: truth } of all.filter((one) => one.labels.includes("work_total"))) {
      expect(grown.get(withoutName(labels))).toBeCloseTo(truth, 3);
    }
  });

  it("show a series while it is there and not while it is away", async () => {
    const { columns, moment, infos } = await chart("guest", 365 * dayMs, 360 * minuteMs);
    expect(infos).toEqual([expect.stringContaining("summaries of 1h")]);
    for (const { present } of columns) {
      for (const [step, one] of present.entries()) {
        const day = (moment(step) - startMs) / dayMs;
        const isNearEdge = Math.abs(day / 7 - Math.round(day / 7)) < 0.01;
        if (!isNearEdge) expect(one).toBe(isAway(day) ? 0 : 1);
      }
    }
  });

  it("stay within the disk's budget, in few files", async () => {
    const { blocks, tiers, damage } = await store.stats();
    expect(damage).toEqual([]);
    expect(blocks.length).toBeLessThanOrEqual(62);
    const perDay = dayMs / everyMs;
    const samples = all.length * perDay * (retain.samplesMs / dayMs + 2);
    // Files go when all of their days have gone: 30 of them, at most.
    const fine = all.length * 288 * (retain.fineMs / dayMs + 30);
    const coarse = all.length * 24 * days;
    const most = samples * budget.sample + fine * budget.fine + coarse * budget.coarse + budget.store;
    expect(mostBytes).toBeLessThan(most);
    for (const { files } of tiers) expect(files).toBeLessThan(20);
    expect(tiers.map(({ stepMs }) => stepMs)).toEqual([5 * minuteMs, 60 * minuteMs]);
  });
});
