import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeAllowance } from "./allowance.ts";

/** How many of so many asks were let through after each of these times; `before` were asked and nobody waited for them. */
async function letThrough(asks: number, seconds: readonly number[], before = 0): Promise<readonly number[]> {
  const clock = handClock();
  const allow = makeAllowance(clock);
  for (let n = 0; n < before; n++) void allow(AbortSignal.abort()).catch(() => undefined);
  await clock.turn((before / 50) * 1_000);
  let done = 0;
  for (let n = 0; n < asks; n++) void allow(new AbortController().signal).then(() => done++);
  const counts: number[] = [];
  let turned = 0;
  for (const second of seconds) {
    await clock.turn((second - turned) * 1_000);
    turned = second;
    counts.push(done);
  }
  return counts;
}

test("what was kept for a while comes soon", async () => {
  expect(await letThrough(600, [0, 1, 7, 8])).toEqual([200, 250, 550, 600]);
});

test("a day's ticks come as fast as an hour's", async () => {
  expect(await letThrough(600, [0, 1, 7, 8], 8_640)).toEqual([200, 250, 550, 600]);
});

test("who never ends comes to what a machine can take honestly", async () => {
  expect(await letThrough(600, [0, 1, 8, 20], 10_000)).toEqual([200, 250, 416, 440]);
});
