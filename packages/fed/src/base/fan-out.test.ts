import { expect, test } from "vitest";
import { sleep } from "./clock.ts";
import { fanOut } from "./fan-out.ts";
import { handClock } from "./hand-clock.ts";

const going = () => new AbortController().signal;

test("so many at once and no more, the outcomes in the order of the items", async () => {
  const clock = handClock();
  let [running, most] = [0, 0];
  const done = fanOut(
    [30, 10, 20, 10, 10],
    2,
    async (ms, signal) => {
      most = Math.max(most, ++running);
      await sleep(clock, ms, signal);
      running--;
      if (ms === 20) throw "twenty";
      return ms * 2;
    },
    going(),
  );
  await clock.turn(1_000);
  expect(await done).toEqual([
    { kind: "done", value: 60 },
    { kind: "done", value: 20 },
    { kind: "failed", reason: "twenty" },
    { kind: "done", value: 20 },
    { kind: "done", value: 20 },
  ]);
  expect(most).toBe(2);
});

test("an abort begins nothing more, waits for what was begun, and rejects with its reason", async () => {
  const clock = handClock();
  const controller = new AbortController();
  const begun: number[] = [];
  const done = fanOut(
    [1, 2, 3],
    1,
    async (item, signal) => {
      begun.push(item);
      await sleep(clock, 10, signal);
    },
    controller.signal,
  );
  controller.abort("enough");
  await expect(done).rejects.toBe("enough");
  expect(begun).toEqual([1]);
  expect(clock.waiting).toBe(0);
  await expect(fanOut([1], 1, async () => {}, controller.signal)).rejects.toBe("enough");
});

test("nothing to do is done", async () => {
  expect(await fanOut([], 5, async () => 1, going())).toEqual([]);
  await expect(fanOut([1], 0, async () => 1, going())).rejects.toThrow(RangeError);
});
