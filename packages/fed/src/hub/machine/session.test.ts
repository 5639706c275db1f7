import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterAnswer,
  afterAsking,
  afterFailure,
  afterGivingUp,
  afterMiss,
  afterStrike,
  afterWatch,
  askNow,
  beginRhythm,
  dueSections,
  graceMs,
  isStuck,
  type Rhythm,
  wakeMs,
} from "./session.ts";

const sections = [
  { name: "cpu", everyMs: 0 },
  { name: "units", everyMs: 30_000 },
  { name: "updates", everyMs: 3_600_000 },
  { name: "disks", everyMs: 600_000 },
];

/** Lives for a while with a machine that answers after `tookMs`: when it was asked, and for what. */
function live(intervalMs: number, tookMs: number, forMs: number) {
  const asks: { readonly atMs: number; readonly names: readonly string[] }[] = [];
  let rhythm = beginRhythm(intervalMs, 0, 0);
  let misses = 0;
  let answerMs = Infinity;
  for (let nowMs = 0; nowMs < forMs; nowMs = Math.max(nowMs + 1, Math.min(wakeMs(rhythm), answerMs))) {
    if (nowMs >= answerMs) {
      rhythm = afterAnswer(rhythm, sections, nowMs);
      answerMs = Infinity;
    }
    if (nowMs >= rhythm.missMs) {
      rhythm = afterMiss(rhythm, nowMs);
      misses++;
    }
    if (rhythm.underWay === undefined && nowMs >= rhythm.askMs) {
      const names = dueSections(sections, rhythm, nowMs);
      rhythm = afterAsking(rhythm, names, nowMs);
      asks.push({ atMs: nowMs, names });
      answerMs = nowMs + tookMs;
    }
  }
  return { asks, misses };
}

test("a machine that answers is asked at its interval, each section as often as it wants, rare ones one at a time", () => {
  fc.assert(
    fc.property(fc.constantFrom(1_000, 10_000, 60_000), fc.integer({ min: 1, max: 400 }), (intervalMs, tookMs) => {
      const { asks, misses } = live(intervalMs, tookMs, 3_600_000 * 1.5);
      expect(misses).toBe(0);
      const settled = asks.slice(5);
      settled.slice(1).forEach(({ atMs }, at) => {
        expect(atMs - (settled[at]?.atMs ?? 0)).toBe(intervalMs);
      });
      for (const { names } of asks) {
        expect(names[0]).toBe("cpu");
        expect(names.filter((name) => name === "updates" || name === "disks").length).toBeLessThanOrEqual(1);
      }
      for (const { name, everyMs } of sections) {
        const times = asks.flatMap(({ atMs, names }) => (names.includes(name) ? [atMs] : []));
        for (let n = 1; n < times.length; n++) {
          const gapMs = (times[n] ?? 0) - (times[n - 1] ?? 0);
          expect(gapMs).toBeGreaterThanOrEqual(Math.min(everyMs, everyMs - 500));
          expect(gapMs).toBeLessThanOrEqual(Math.max(everyMs, intervalMs) + 2 * intervalMs);
        }
        expect(times[0]).toBeLessThanOrEqual(5_000 + 4 * tookMs);
      }
    }),
    { numRuns: 20 },
  );
});

test("a machine that needs long for a tick rests as long", () => {
  const { asks } = live(1_000, 3_000, 60_000);
  expect(asks.length).toBeLessThanOrEqual(15);
});

test("whatever happens: never two ticks under way, and something is always to come", () => {
  type Step = "wake" | "answer" | "failure" | "strike" | "watch" | "unwatch" | "look";
  const steps = fc.array(
    fc.record({
      step: fc.constantFrom<Step>("wake", "wake", "wake", "answer", "failure", "strike", "watch", "unwatch", "look"),
      // A hub that was asleep wakes late.
      lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200_000 })),
    }),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      let rhythm: Rhythm = beginRhythm(10_000, 0.5, 0);
      let nowMs = 0;
      let sequence = 0;
      for (const { step, lateMs } of all) {
        nowMs = Math.max(nowMs, step === "wake" ? wakeMs(rhythm) : nowMs) + lateMs;
        if (step === "answer" && rhythm.underWay) rhythm = afterAnswer(rhythm, sections, nowMs);
        else if (step === "failure" && rhythm.underWay) rhythm = afterFailure(rhythm, nowMs);
        else if (step === "strike" && rhythm.underWay) rhythm = afterStrike(rhythm, nowMs);
        else if (step === "watch" || step === "unwatch") rhythm = afterWatch(rhythm, step === "watch", nowMs);
        else if (step === "look") rhythm = askNow(rhythm, nowMs);
        else if (step === "wake") {
          const before = rhythm.misses;
          if (nowMs >= rhythm.missMs) rhythm = afterMiss(rhythm, nowMs);
          expect(rhythm.misses - before).toBeLessThanOrEqual(1);
          if (isStuck(rhythm)) rhythm = afterGivingUp(rhythm, nowMs);
          if (!rhythm.underWay && nowMs >= rhythm.askMs) {
            rhythm = afterAsking(rhythm, dueSections(sections, rhythm, nowMs), nowMs);
            expect(rhythm.sequence).toBe(++sequence);
          }
        }
        expect(wakeMs(rhythm) - nowMs).toBeLessThanOrEqual(600_000 + graceMs);
        // What is due is due once: it does not wake the hub again and again.
        if (step === "wake") expect(wakeMs(rhythm)).toBeGreaterThan(nowMs);
      }
    }),
    { numRuns: 500 },
  );
});

test("what was asked for over a connection that was lost is asked for again, and not what the machine hangs at", () => {
  const first = afterAsking(beginRhythm(10_000, 0, 0), ["cpu"], 0);
  const second = afterAsking(afterAnswer(first, sections, 1), ["cpu", "units"], 1_000);
  expect(dueSections(sections, afterFailure(second, 1_100), 11_100)).toContain("units");
  expect(dueSections(sections, afterGivingUp(second, 30_000), 30_000)).not.toContain("units");
});

test("a machine that breaks the rules is asked rarer and rarer, up to every ten minutes", () => {
  let rhythm = beginRhythm(10_000, 0, 0);
  const waits: number[] = [];
  for (let n = 0; n < 7; n++) {
    rhythm = afterStrike(rhythm, 0);
    waits.push(rhythm.askMs / 1_000);
    expect(rhythm.missMs).toBeGreaterThan(rhythm.askMs);
  }
  expect(waits).toEqual([60, 120, 240, 480, 600, 600, 600]);
  expect(afterAnswer(rhythm, sections, 0).strikes).toBe(0);
});
