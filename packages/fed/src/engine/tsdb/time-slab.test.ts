import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addTime, beginTimes, leaveTimes, timeSlabsOf, timesIn } from "./time-slab.ts";

const [spanMs, spanEndMs] = [1000, 5000];

describe("slabs of times", () => {
  it("have what each of their users has put in, together or alone", () => {
    const step = fc.record({
      user: fc.nat(5),
      // Often the next one that others have, too.
      ahead: fc.constantFrom(1, 1, 1, 2),
      what: fc.constantFrom("add", "add", "add", "add", "add", "leave"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const slabs = timeSlabsOf();
        const users: { slab: number; times: number[] }[] = Array.from({ length: 6 }, () => ({ slab: -1, times: [] }));
        for (const { user, ahead, what } of steps) {
          const one = users[user] as (typeof users)[number];
          if (what === "leave" || one.times.length === 32) {
            if (one.slab >= 0) leaveTimes(slabs, one.slab);
            users[user] = { slab: -1, times: [] };
            continue;
          }
          const offset = (one.times.at(-1) ?? 0) + ahead;
          one.slab =
            one.slab < 0 ? beginTimes(slabs, spanEndMs, offset) : addTime(slabs, one.slab, one.times.length, offset);
          one.times.push(offset);
        }
        const startMs = spanEndMs - spanMs;
        for (const { slab, times } of users) {
          if (slab < 0) continue;
          expect([...timesIn(slabs, slab, times.length, spanMs)]).toEqual(times.map((offset) => startMs + offset));
        }
        expect(slabs.made).toBeLessThanOrEqual(users.length);
      }),
      { numRuns: 2000 },
    );
  });

  it("are shared by series that are scraped together, until one misses a scrape", () => {
    const slabs = timeSlabsOf();
    const all = Array.from({ length: 1000 }, () => beginTimes(slabs, spanEndMs, 10));
    expect(new Set(all).size).toBe(1);
    for (let used = 1; used < 5; used++) {
      for (const [nth, slab] of all.entries()) {
        if (nth === 7 && used === 2) continue;
        all[nth] = addTime(slabs, slab, nth === 7 && used > 2 ? used - 1 : used, 10 + used);
      }
    }
    expect(new Set(all).size).toBe(2);
    expect([...timesIn(slabs, all[7] as number, 4, spanMs)]).toEqual([4010, 4011, 4013, 4014]);
  });
});
