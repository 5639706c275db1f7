import { expect, test } from "vitest";
import { crashed, type Failure, type History, holdOf } from "./backoff.ts";

const spec = "a1";
const at = (atMs: number, more: Partial<Failure> = {}): Failure => ({ spec, atMs, reason: "exit code 1", ...more });

test("the first restart comes at once, then the wait doubles up to 30 s, then it is given up", () => {
  let history: History | undefined;
  const waits: string[] = [];
  for (let nowMs = 0; waits.length < 9; nowMs += 100_000) {
    history = crashed(history, at(nowMs));
    const hold = holdOf(history, spec, nowMs);
    if (hold === undefined) waits.push("at once");
    else
      waits.push(hold.kind === "backOff" ? `${hold.untilMs - nowMs} after ${hold.crashes}` : `gave up ${hold.crashes}`);
  }
  expect(waits).toEqual([
    "at once",
    "1000 after 2",
    "2000 after 3",
    "4000 after 4",
    "8000 after 5",
    "16000 after 6",
    "30000 after 7",
    "gave up 8",
    "gave up 9",
  ]);
});

test("a hold ends at its moment; giving up does not", () => {
  const twice = crashed(crashed(undefined, at(0)), at(10));
  expect(holdOf(twice, spec, 1_009)).toEqual({ kind: "backOff", untilMs: 1_010, crashes: 2, last: "exit code 1" });
  expect(holdOf(twice, spec, 1_010)).toBeUndefined();
  expect(holdOf({ ...twice, count: 8 }, spec, 1e12)).toEqual({ kind: "gaveUp", crashes: 8, last: "exit code 1" });
});

test("60 s of good health, or a new spec, begin a new history", () => {
  const seven = { spec, count: 7, lastMs: 0, reason: "exit code 1", final: false };
  expect(crashed(seven, at(100_000), 59_999).count).toBe(8);
  expect(crashed(seven, at(100_000), 60_000).count).toBe(1);
  expect(crashed(seven, at(100_000, { spec: "b2" }))).toMatchObject({ spec: "b2", count: 1 });
  expect(holdOf({ ...seven, count: 8 }, "b2", 0)).toBeUndefined();
});

test("a final failure gives up at once, and stays so when a sibling falls after it", () => {
  const once = crashed(undefined, at(0, { final: true, reason: "not healthy within 60 s" }));
  expect(holdOf(once, spec, 0)).toEqual({ kind: "gaveUp", crashes: 1, last: "not healthy within 60 s" });
  expect(crashed(once, at(5, { startedMs: -1 })).final).toBe(true);
  expect(crashed(once, at(5)).final).toBe(true);
});

test("replicas that fall together count once", () => {
  let history = crashed(undefined, at(1_000, { startedMs: 0 }));
  history = crashed(history, at(1_001, { startedMs: 2, reason: "killed by SIGKILL" }));
  expect(history).toMatchObject({ count: 1, lastMs: 1_000, reason: "killed by SIGKILL" });
  expect(crashed(history, at(1_500, { startedMs: 1_002 })).count).toBe(2);
});
