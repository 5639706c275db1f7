import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import { labelsKey, labelsOf } from "../series/labels.ts";
import { compileMatchers, type Matcher } from "../series/matcher.ts";
import { isStale } from "../series/series.ts";
import { wordsOf } from "./codec.ts";
import { openTsdb, type Tsdb, type TsdbOptions } from "./tsdb.ts";

/** The store against a map, under any sequence of what one can do with it. Spans are short so that much happens. */
const spanMs = 120_000;
const outOfOrderMs = 60_000;
const retainMs = 2_400_000;
const coarseMs = 300_000;
const tiers = [{ stepMs: 60_000 }, { stepMs: coarseMs }];
const startMs = 1_700_006_400_000;
const never = new AbortController().signal;

const allLabels = Array.from({ length: 8 }, (_, n) =>
  labelsOf({ __name__: n % 2 ? "cpu" : "mem", host: `h${n % 3}`, nth: `${n}` }),
);
type Words = readonly [low: number, high: number];

/** Series key → time → bits. */
type Model = Map<string, Map<number, Words>>;

interface World {
  readonly folder: string;
  readonly clock: HandClock;
  readonly options: TsdbOptions;
  readonly model: Model;
  store: Tsdb;
  newestMs: number;
  floorMs: number;
}

const words = fc.oneof(
  fc.integer({ min: -5, max: 300 }).map((n): Words => wordsPair(n / 10)),
  fc.constantFrom<Words>([2, 0x7ff00000], [0, 0x80000000], [0, 0x7ff00000], [7, 0xfff80000]),
  fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
);
function wordsPair(value: number): Words {
  const [low, high] = wordsOf(Float64Array.of(value));
  return [low as number, high as number];
}

const row = fc.record({
  nth: fc.nat(allLabels.length - 1),
  backMs: fc.oneof(fc.constant(0), fc.nat(20_000), fc.nat(400_000)),
  words,
});
const matcher = fc.oneof(
  fc.constantFrom<Matcher>(
    { name: "__name__", kind: "=", value: "cpu" },
    { name: "host", kind: "=~", value: "h[01]" },
    { name: "host", kind: "!=", value: "h1" },
    { name: "nth", kind: "!~", value: "0|3" },
    { name: "nothere", kind: "=", value: "" },
    { name: "nothere", kind: "=~", value: ".+" },
  ),
);
const matchers = fc.array(matcher, { maxLength: 2 });
const span = fc.record({ fromMs: fc.nat(3_000_000), lengthMs: fc.nat(2_000_000) });

const deed = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      passMs: fc.nat(60_000),
      rows: fc.array(row, { maxLength: 30 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("backfill" as const),
      rows: fc.array(
        row.chain((one) => fc.nat(3_000_000).map((backMs) => ({ ...one, backMs }))),
        { maxLength: 30 },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("scrapes" as const),
      count: fc.integer({ min: 1, max: 120 }),
      nth: fc.nat(7),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("query" as const), matchers, span }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("count" as const), span }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), matchers, span }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("maintain" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), passMs: fc.nat(1_500_000) }) },
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

async function append(
  world: World,
  rows: readonly { nth: number; timeMs: number; words: Words }[],
  how: "append" | "backfill" = "append",
): Promise<void> {
  const values = new Float64Array(Uint32Array.from(rows.flatMap((one) => one.words)).buffer);
  const labels = rows.map(({ nth }) => allLabels[nth] as readonly string[]);
  const answer = await world.store[how]({ labels, times: Float64Array.from(rows, ({ timeMs }) => timeMs), values });
  const expected = { added: 0, same: 0, refused: 0 };
  let newestMs = world.newestMs;
  for (const { nth, timeMs, words } of rows) {
    const key = labelsKey(allLabels[nth] as readonly string[]);
    const earliest = world.clock.nowMs() - retainMs;
    if (timeMs < earliest || (how === "append" && timeMs < world.floorMs)) {
      expected.refused++;
      continue;
    }
    const series = world.model.get(key) ?? new Map<number, Words>();
    world.model.set(key, series);
    const there = series.get(timeMs);
    if (there === undefined) {
      series.set(timeMs, words);
      expected.added++;
      newestMs = Math.max(newestMs, timeMs);
    } else if (there[0] === words[0] && there[1] === words[1]) expected.same++;
    else expected.refused++;
  }
  world.newestMs = newestMs;
  world.floorMs = Math.max(world.floorMs, Math.floor((newestMs - outOfOrderMs) / spanMs) * spanMs);
  const { added, same, refused } = answer;
  expect({ added, same, refused }).toEqual(expected);
}

async function compare(world: World, wanted: readonly Matcher[], fromMs: number, toMs: number): Promise<void> {
  const fits = compileMatchers(wanted);
  const expected = new Map<string, string[]>();
  const oldestMs = world.clock.nowMs() - retainMs;
  for (const labels of allLabels) {
    if (!fits(labels)) continue;
    const samples = [...(world.model.get(labelsKey(labels)) ?? [])]
      .filter(([timeMs]) => timeMs >= fromMs && timeMs <= toMs && timeMs >= oldestMs)
      .sort(([one], [other]) => one - other);
    if (samples.length > 0)
      expected.set(
        labelsKey(labels),
        samples.map(([timeMs, [low, high]]) => `${timeMs - startMs}:${low}:${high}`),
      );
  }
  const found = new Map<string, string[]>();
  const selection = { matchers: wanted, startMs: fromMs, endMs: toMs };
  for await (const batch of world.store.select(selection, never)) {
    for (const { labels, times, values } of batch) {
      expect(found.has(labelsKey(labels))).toBe(false);
      const bits = wordsOf(values);
      found.set(
        labelsKey(labels),
        [...times].map((timeMs, i) => `${timeMs - startMs}:${bits[2 * i]}:${bits[2 * i + 1]}`),
      );
    }
  }
  expect([...found].sort()).toEqual([...expected].sort());
  const named = await world.store.series(selection, never);
  const keys = named.map(labelsKey).sort();
  // Before that, summaries name series whose samples are gone, and not yet those that wait to be filled in.
  const wholeMs = firstWholeDay(world);
  if (fromMs >= wholeMs) expect(keys).toEqual([...expected.keys()].sort());
  const kept = [...expected].filter(([, cells]) =>
    cells.some((cell) => startMs + Number.parseInt(cell, 10) >= wholeMs),
  );
  expect(keys).toEqual(expect.arrayContaining(kept.map(([key]) => key)));
}

/** The first day of which all samples are kept. */
function firstWholeDay({ clock }: World): number {
  return Math.ceil((clock.nowMs() - retainMs) / (5 * spanMs)) * 5 * spanMs;
}

/** What summaries say of whole stretches, against the samples themselves. */
async function compareCounts(world: World, aboutMs: number, lengthMs: number): Promise<void> {
  const fromMs = Math.max(firstWholeDay(world), Math.floor(aboutMs / coarseMs) * coarseMs);
  const toMs = fromMs + Math.ceil(lengthMs / coarseMs) * coarseMs;
  const isMark = ([low, high]: Words) => low === 2 && high === 0x7ff00000;
  const expected: Record<string, number> = {};
  for (const [key, samples] of world.model) {
    const count = [...samples].filter(([timeMs, one]) => timeMs > fromMs && timeMs <= toMs && !isMark(one)).length;
    if (count > 0) expected[key] = count;
  }
  const hint = { stepMs: coarseMs, rangeMs: coarseMs, summary: { columns: ["count"], mostMs: coarseMs } } as const;
  const found: Record<string, number> = {};
  for await (const batch of world.store.select({ matchers: [], startMs: fromMs + 1, endMs: toMs, hint }, never)) {
    for (const { labels, times, values, coarse } of batch) {
      const counts = coarse?.columns.count ?? new Float64Array(0);
      let count = 0;
      for (const [i, timeMs] of times.entries()) {
        if (timeMs <= fromMs || timeMs > toMs) continue;
        const [own, isEntry] = [counts[i] as number, i < (coarse?.entries ?? 0)];
        if (isEntry) count += Number.isNaN(own) ? 0 : own;
        else if (!isStale(values, i)) count++;
      }
      if (count > 0) found[labelsKey(labels)] = count;
    }
  }
  expect(found).toEqual(expected);
}

async function perform(world: World, deed: Deed): Promise<void> {
  const { clock, model } = world;
  if (deed.do === "append") {
    await clock.turn(deed.passMs);
    const rows = deed.rows.map(({ nth, backMs, words }) => ({ nth, words, timeMs: clock.nowMs() - backMs }));
    await append(world, rows);
  } else if (deed.do === "backfill") {
    const rows = deed.rows.map(({ nth, backMs, words }) => ({ nth, words, timeMs: clock.nowMs() - backMs }));
    await append(world, rows, "backfill");
  } else if (deed.do === "scrapes") {
    for (let i = 0; i < deed.count; i++) {
      await clock.turn(5_000);
      const timeMs = clock.nowMs();
      await append(world, [
        { nth: deed.nth, timeMs, words: wordsPair(i) },
        { nth: (deed.nth + 1) % 8, timeMs, words: wordsPair(3) },
      ]);
    }
  } else if (deed.do === "query") {
    const fromMs = startMs + deed.span.fromMs;
    await compare(world, deed.matchers, fromMs, fromMs + deed.span.lengthMs);
  } else if (deed.do === "count") {
    await compareCounts(world, startMs + deed.span.fromMs - 3_000_000, deed.span.lengthMs);
  } else if (deed.do === "delete") {
    const fits = compileMatchers(deed.matchers);
    const fromMs = startMs + deed.span.fromMs;
    const toMs = fromMs + deed.span.lengthMs;
    await world.store.delete({ matchers: deed.matchers, startMs: fromMs, endMs: toMs });
    for (const labels of allLabels.filter(fits)) {
      const series = model.get(labelsKey(labels));
      for (const timeMs of [...(series?.keys() ?? [])]) if (timeMs >= fromMs && timeMs <= toMs) series?.delete(timeMs);
    }
  } else if (deed.do === "maintain") await world.store.maintain();
  else if (deed.do === "wait") await clock.turn(deed.passMs);
  else {
    await world.store.close();
    world.store = await openTsdb(world.folder, world.options);
    // What a store forgets when it is closed: that samples now gone by a delete had been the newest.
    const { closedMs } = await world.store.stats();
    expect(closedMs).toBeLessThanOrEqual(world.floorMs);
    world.floorMs = closedMs;
    world.newestMs = Math.max(...[...model.values()].flatMap((series) => [...series.keys()]), -Infinity);
    expect((await world.store.stats()).damage).toEqual([]);
  }
}

describe("a store and a map", () => {
  it("say the same after anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 40 }), async (deeds) => {
        const folder = mkdtempSync(join(tmpdir(), "fed-tsdb-model-"));
        const clock = handClock(startMs);
        const options = {
          clock,
          spanMs,
          daySpanMs: 5 * spanMs,
          outOfOrderMs,
          retainMs,
          cacheBytes: 20_000,
          stagedSamples: 100,
          tiers,
        };
        const store = await openTsdb(folder, options);
        const world: World = {
          folder,
          clock,
          options,
          model: new Map(),
          store,
          newestMs: -Infinity,
          floorMs: -Infinity,
        };
        try {
          for (const one of deeds) await perform(world, one);
          await compare(world, [], 0, Number.MAX_SAFE_INTEGER);
          await world.store.maintain();
          await compare(world, [], 0, Number.MAX_SAFE_INTEGER);
          await compareCounts(world, 0, 2 * retainMs);
        } finally {
          await world.store.close();
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: Number(process.env.FED_MODEL_RUNS ?? 80) },
    );
  }, 120_000);
});
