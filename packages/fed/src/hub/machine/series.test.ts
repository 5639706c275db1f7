import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelsToRecord } from "#engine/series/labels.ts";
import { isStale } from "#engine/series/series.ts";
import type { Batch } from "#engine/tsdb/tsdb.ts";
import { openBook } from "./series.ts";

const sections = ["fast", "slow", "rare"];
const hourMs = 3_600_000;

/** What a batch says: series in short and their values, `end` for the end of one. */
function said({ labels, values }: Batch): Record<string, number | "end"> {
  const all: Record<string, number | "end"> = {};
  labels.forEach((one, i) => {
    const { __name__: name, machine, job, instance, ...rest } = labelsToRecord(one);
    expect({ machine, job, instance }).toEqual({ machine: "node5", job: "fed", instance: "node5" });
    const key = Object.entries(rest)
      .map(([label, value]) => `${label}=${value}`)
      .join(",");
    all[key === "" ? `${name}` : `${name}{${key}}`] = isStale(values, i) ? "end" : (values[i] as number);
  });
  expect(Object.keys(all)).toHaveLength(labels.length);
  return all;
}

/** Without what the book says of itself. */
function toldIn(batch: Batch): Record<string, number | "end"> {
  const { up: _up, scrape_duration_seconds: _took, scrape_samples_scraped: _count, ...rest } = said(batch);
  return rest;
}

describe("a book of series", () => {
  test("a section with too many takes nothing from another one, and ends nothing there", () => {
    const book = openBook("node5", sections, 200);
    const tell = (flood: number, units: readonly number[]) => {
      book.begin(["fast", "slow"], 0);
      for (let nth = 0; nth < flood; nth++) book.sample("many", 1, { nth: `${nth}` }, "fast");
      for (const nth of units) book.sample("unit", 1, { nth: `${nth}` }, "slow");
      return toldIn(book.end(0, true, undefined));
    };
    const units = Array.from({ length: 50 }, (_, nth) => nth);
    tell(10, units);
    const left = units.filter((nth) => nth < 10 || nth > 16);
    const told = tell(2_000, left);
    for (const nth of left) expect(told[`unit{nth=${nth}}`]).toBe(1);
    const back = tell(2_000, units);
    for (const nth of left) expect(back[`unit{nth=${nth}}`]).toBe(1);
  });

  test("hands out the same labels at every tick, with whose they are, and says that the machine is up", () => {
    const book = openBook("node5", sections, 100);
    book.begin(["fast"], 0);
    book.sample("node_load1", 0.5);
    book.sample("node_cpu_seconds_total", 3, { cpu: "0", mode: "idle" });
    const first = book.end(1_000, true, 250);
    expect(said(first)).toEqual({
      ...{ node_load1: 0.5, "node_cpu_seconds_total{cpu=0,mode=idle}": 3 },
      ...{ up: 1, scrape_duration_seconds: 0.25, scrape_samples_scraped: 2 },
    });
    expect([...first.times]).toEqual(Array.from({ length: 5 }, () => 1_000));
    book.begin(["fast"], 0);
    book.sample("node_cpu_seconds_total", 4, { mode: "idle", cpu: "0" });
    book.sample("node_load1", 0.6);
    const second = book.end(2_000, true, 250);
    expect(second.labels[1]).toBe(first.labels[0]);
    expect(second.labels[0]).toBe(first.labels[1]);
  });

  test("a machine cannot name itself, nor its metrics by what is no name", () => {
    const book = openBook("node5", sections, 100);
    book.begin(["fast"], 0);
    book.sample("up", 0, { machine: "node6", job: "prometheus", instance: "x", __name__: "node_load1", "a b": "c" });
    book.sample('bad{machine="node6"}', 1);
    book.sample("node_load1", Number.NaN);
    book.sample("text", 1, { name: `<b>"\n\u0000\ud800${"x".repeat(5_000)}` });
    expect(book.dropped).toBe(1);
    const all = said(book.end(0, true, undefined));
    expect(all).toMatchObject({ "up{exported_instance=x,exported_job=prometheus,exported_machine=node6}": 0, up: 1 });
    const text = Object.keys(all).find((key) => key.startsWith("text"));
    expect(text).toMatch(/^text\{name=<b>"\n \ufffdx+\}$/);
    expect(text?.length).toBeLessThan(1_100);
    expect(all).not.toHaveProperty("node_load1");
  });

  test("a series ends when the sections that told it tell it no more, and not because they were not asked", () => {
    const book = openBook("node5", sections, 100);
    const tick = (asked: readonly string[], ...names: string[]) => {
      book.begin(asked, 0);
      for (const name of names) book.sample(name, 1);
      return Object.entries(toldIn(book.end(0, true, 1))).flatMap(([name, value]) => (value === "end" ? [name] : []));
    };
    expect(tick(["fast"], "fast", "gone")).toEqual([]);
    expect(tick(["fast", "slow"], "fast", "gone", "slow")).toEqual([]);
    expect(tick(["fast"], "fast", "gone")).toEqual([]);
    expect(tick(["fast"], "fast")).toEqual(["gone"]);
    expect(tick(["fast", "rare"], "fast", "rare")).toEqual([]);
    expect(tick(sections, "fast")).toEqual(["slow", "rare"]);
    expect(tick(sections, "fast", "rare")).toEqual([]);
  });

  test("what a rare section told may be told again in between, and ends when that section tells it no more", () => {
    const book = openBook("node5", sections, 100);
    const tick = (asked: readonly string[], told: boolean) => {
      book.begin(asked, 0);
      if (told) book.sample("updates", 1, undefined, "rare");
      return toldIn(book.end(0, true, 1));
    };
    expect(tick(["fast", "rare"], true)).toEqual({ updates: 1 });
    expect(tick(["fast"], true)).toEqual({ updates: 1 });
    expect(tick(["fast"], false)).toEqual({});
    expect(tick(["rare"], false)).toEqual({ updates: "end" });
  });

  test("when the machine goes everything ends but `up`, which is 0; when it leaves the fleet that ends too", () => {
    const book = openBook("node5", sections, 100);
    book.begin(["fast"], 0);
    book.sample("node_load1", 1);
    book.end(0, true, 1);
    expect(said(book.missed(10))).toEqual({ up: 0 });
    const ends = { scrape_duration_seconds: "end", scrape_samples_scraped: "end" };
    expect(said(book.gone(20, false))).toEqual({ up: 0, node_load1: "end", ...ends });
    expect(said(book.gone(30, true))).toEqual({ up: "end", ...ends });
    expect(book.count).toBe(0);
  });

  test("has a limit, over time, too: a machine with other series at every tick fills no memory", () => {
    const book = openBook("node5", sections, 50);
    const tick = (atMs: number, from: number, count: number) => {
      book.begin(["fast"], atMs);
      for (let n = from; n < from + count; n++) book.sample("x", n, { n: `${n}` });
      const { labels } = book.end(atMs, true, 1);
      return { told: labels.length, dropped: book.dropped };
    };
    expect(tick(0, 0, 60).dropped).toBe(10);
    expect(book.count).toBe(50);
    // The old ones end in the tick after which they were not told; their place is free then.
    expect(tick(0, 1_000, 50).dropped).toBe(50);
    expect(tick(0, 2_000, 50).dropped).toBe(0);
    tick(0, 3_000, 0);
    expect(tick(0, 4_000, 50).dropped).toBe(50);
    expect(tick(hourMs, 4_000, 50).dropped).toBe(0);
  });

  test("a machine that comes and goes all the time has its series back each time: they are no new ones", () => {
    const book = openBook("node5", sections, 50);
    for (let turn = 0; turn < 20; turn++) {
      const atMs = turn * 60_000;
      book.begin(["fast"], atMs);
      for (let n = 0; n < 30; n++) book.sample("x", n, { n: `${n}` });
      const told = toldIn(book.end(atMs, true, 1));
      expect(Object.values(told)).toEqual(Array.from({ length: 30 }, (_, n) => n));
      expect(book.dropped).toBe(0);
      // Half of them end before the rest does.
      book.begin(["fast"], atMs + 10_000);
      for (let n = 0; n < 15; n++) book.sample("x", n, { n: `${n}` });
      expect(Object.values(toldIn(book.end(atMs + 10_000, true, 1))).filter((one) => one === "end")).toHaveLength(15);
      expect(Object.values(toldIn(book.gone(atMs + 50_000, false)))).toHaveLength(15);
    }
  });

  test("the order of what is told does not matter, nor what is told twice", () => {
    const orders = fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 30 }), { maxLength: 10 });
    fc.assert(
      fc.property(orders, (ticks) => {
        const book = openBook("node5", sections, 100);
        const before = new Map<string, Batch["labels"][number]>();
        for (const ids of ticks) {
          book.begin(["fast", "slow"], 0);
          for (const id of ids) book.sample("x", id, { n: `${id}` }, id % 3 === 0 ? "slow" : "fast");
          const batch = book.end(0, false, undefined);
          const told = said(batch);
          for (const id of ids) expect(told[`x{n=${id}}`]).toBe(id);
          expect(book.count).toBe(new Set(ids).size);
          // Each is the same object as ever: the store knows it by that.
          for (const labels of batch.labels) {
            expect(before.get(labels.join()) ?? labels).toBe(labels);
            before.set(labels.join(), labels);
          }
        }
      }),
    );
  });

  test("what has ended an hour ago is forgotten, with all that was told before it", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const book = openBook("node5", sections, 100);
    const tick = (hour: number) => {
      book.begin(["fast"], hour * hourMs);
      book.sample("always", 1);
      for (let n = 0; n < 3; n++) book.sample("x", 1, { hour: `${hour}`, n: `${n}` });
      const [, labels] = book.end(0, false, undefined).labels;
      return new WeakRef(labels ?? expect.unreachable());
    };
    const told = [0, 1, 2, 3, 4].map(tick);
    // Until then a reference that is weak holds what it was made of.
    await setImmediate();
    collect();
    expect(told.map((ref) => ref.deref() !== undefined)).toEqual([false, false, false, true, true]);
  });

  test("whatever is told, a series that has begun is told, waits for its sections, or has ended", () => {
    const ticks = fc.array(
      fc.record({
        slow: fc.boolean(),
        fast: fc.subarray(["a", "b", "c"]),
        rare: fc.subarray(["x", "y"]),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(ticks, (all) => {
        const book = openBook("node5", sections, 100);
        const open = new Set<string>();
        for (const { slow, fast, rare } of all) {
          book.begin(slow ? ["fast", "slow"] : ["fast"], 0);
          const names = [...fast, ...(slow ? rare : [])];
          for (const name of names) book.sample(name, 1);
          for (const [name, value] of Object.entries(toldIn(book.end(0, true, 1)))) {
            if (value === "end") expect(open.delete(name)).toBe(true);
            else open.add(name);
          }
          // Where all sections were asked, nothing else is open; where not, what may be from another section waits.
          if (slow) expect([...open].sort()).toEqual([...names].sort());
          else expect([...open]).toEqual(expect.arrayContaining(names));
        }
        expect(book.count).toBe(open.size);
      }),
    );
  });
});
