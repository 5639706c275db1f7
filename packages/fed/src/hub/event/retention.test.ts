import { expect, test } from "vitest";
import { everything, makeScene, origin, range, say, sequencesOf, silence, take } from "./event.scene.ts";
import { trimLoop } from "./loop.ts";
import type { EventLog } from "./verbs.ts";

const unlimited = { maxAgeMs: 1e15, maxEvents: 1e9, maxBytes: 1e15 };

async function soundOf(log: EventLog) {
  const verdict = await log.verify();
  if (verdict.kind !== "sound") throw new Error(verdict.reason);
  return verdict;
}

test("what is too much goes, at most 10,000 at a time; the chain says so, and what is kept stays provable", async () => {
  const { log, reopen } = makeScene({ retention: { ...unlimited, maxEvents: 100 } });
  say(log, 12_000);
  expect(log.trim(origin)).toBe(true);
  expect(await soundOf(reopen())).toMatchObject({ first: 10_001, last: 12_001 });
  expect(log.trim(origin)).toBe(false);
  const { first, last, events } = await soundOf(reopen());
  expect({ first, last, events }).toEqual({ first: 11_903, last: 12_002, events: 100 });
  expect(log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 1 })[0]).toMatchObject({
    type: "log.trimmed",
    data: { upTo: 11_902, events: 1_902 },
  });
  expect(log.trim(origin)).toBe(false);
  expect(log.last).toBe(12_002);
});

test("what is too old goes, and a log that rests is not cut again and again", async () => {
  const { log, clock } = makeScene({ retention: { ...unlimited, maxAgeMs: 100_000 } });
  say(log, 10);
  await clock.turn(500);
  say(log, 5);
  await clock.turn(99_500);
  say(log, 1);
  expect(log.trim(origin)).toBe(false);
  expect(log.last).toBe(16);
  await clock.turn(1);
  expect(log.trim(origin)).toBe(false);
  // 11 to 15 were within a hundredth of the limit.
  expect(await soundOf(log)).toMatchObject({ first: 16, last: 17, events: 2 });
  await clock.turn(99_999);
  expect(log.trim(origin)).toBe(false);
  expect(log.last).toBe(17);
});

test("what takes too much room goes, and large ones that came last do not cost all others", async () => {
  const { log } = makeScene({ retention: { ...unlimited, maxBytes: 1_000_000 } });
  const reason = "x".repeat(2_000);
  say(log, 3_000);
  say(log, 100, "hub", { type: "hub.stopping", reason });
  expect(log.trim(origin)).toBe(false);
  expect((await soundOf(log)).first).toBe(1);
  say(log, 1_000, "hub", { type: "hub.stopping", reason });
  while (log.trim(origin));
  const { first, last } = await soundOf(log);
  expect(first).toBeGreaterThan(1_000);
  expect(last - first).toBeGreaterThan(300);
});

test("the newest event stays, whatever the limits", async () => {
  const { log, clock } = makeScene({ retention: { maxAgeMs: 1, maxEvents: 1, maxBytes: 1 } });
  expect(log.trim(origin)).toBe(false);
  say(log, 3);
  await clock.turn(10);
  log.trim(origin);
  expect(await soundOf(log)).toMatchObject({ first: 3, last: 4 });
});

test("events with a time that lies ahead do not keep those after them for ever", async () => {
  const { log, clock } = makeScene({ retention: { ...unlimited, maxAgeMs: 1_000 } });
  const { nowMs } = clock;
  clock.nowMs = () => nowMs() + 1e12;
  say(log, 1);
  clock.nowMs = nowMs;
  say(log, 5);
  await clock.turn(2_000);
  say(log, 1);
  log.trim(origin);
  expect(await soundOf(log)).toMatchObject({ first: 7 });
});

test("one event with a wrong, old time takes nothing with it that came before it", async () => {
  const dayMs = 86_400_000;
  const { log, clock } = makeScene({ retention: { ...unlimited, maxAgeMs: 400 * dayMs } });
  const { nowMs } = clock;
  say(log, 5_000);
  // A dead battery: the machine starts with the clock of years ago, until the network tells it the time.
  clock.nowMs = () => nowMs() - 700 * dayMs;
  say(log, 1);
  clock.nowMs = nowMs;
  say(log, 10);
  for (let hour = 0; hour < 3; hour++) {
    while (log.trim(origin));
    await clock.turn(3_600_000);
  }
  expect(await soundOf(log)).toMatchObject({ first: 1, last: 5_011 });
  await clock.turn(400 * dayMs);
  for (let hour = 0; hour < 6; hour++) log.trim(origin);
  expect((await soundOf(log)).first).toBe(5_012);
});

test("a clock that is far ahead does not cost the history: nothing at once, then some in each run", async () => {
  const { log, clock } = makeScene({ retention: { ...unlimited, maxAgeMs: 100_000 } });
  say(log, 3_000);
  const { nowMs } = clock;
  clock.nowMs = () => nowMs() + 1e12;
  expect(log.trim(origin)).toBe(false);
  expect((await soundOf(log)).first).toBe(1);
  await clock.turn(3_600_000);
  expect(log.trim(origin)).toBe(false);
  expect((await soundOf(log)).first).toBe(1_001);
  clock.nowMs = nowMs;
  expect(log.trim(origin)).toBe(false);
  expect((await soundOf(log)).first).toBe(1_001);
});

test("the loop drops all there is to drop, and stops when it is asked to", async () => {
  const { log } = makeScene({ retention: { ...unlimited, maxEvents: 10 } });
  say(log, 25_000);
  const loop = trimLoop(log, () => origin);
  await loop.run(AbortSignal.abort());
  expect(log.last).toBe(25_000);
  await loop.run(new AbortController().signal);
  const { events } = await soundOf(log);
  expect(events).toBeLessThanOrEqual(11);
});

test("who reads on after a cut is told of the gap, then gets what is kept", async () => {
  const { log, reopen } = makeScene({ retention: { ...unlimited, maxEvents: 10 } });
  say(log, 5_000);
  log.trim(origin);
  const { first, last } = await soundOf(log);
  for (const one of [log, reopen()]) {
    const late = one.stream({ filter: everything, after: 5 }, silence, new AbortController().signal);
    const items = await take(late, 1 + last - first + 1);
    expect(items[0]).toEqual({ kind: "gap", first });
    expect(sequencesOf(items)).toEqual(range(first, last));
  }
});
