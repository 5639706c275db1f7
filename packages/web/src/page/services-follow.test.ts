import type { RolloutState, WireRollout, WireRolloutItem } from "@fed/fed/wire/release.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { followRollout } from "./services-follow.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const stands = (state: RolloutState): WireRolloutItem => ({
  kind: "rollout",
  rollout: {
    ...{ id: "rol_1", environment: "dev", service: "api", cause: "deploy", state, reason: "", output: "" },
    ...{ beganMs: 0, by: "user:ada", correlation: "c", steps: [] },
  } satisfies WireRollout,
});
const line = (text: string): WireRolloutItem => ({ kind: "line", text });

/** Streams one after the other; what was told, in order. */
function scene(streams: readonly (readonly (WireRolloutItem | Error)[])[]) {
  const told: string[] = [];
  const stop = new AbortController();
  let opened = 0;
  async function* open() {
    for (const item of streams[opened++] ?? []) {
      if (item instanceof Error) throw item;
      yield item;
    }
  }
  const over = followRollout(
    open,
    ({ rollout, lines }) => told.push(`${rollout.state}: ${lines.join("+")}`),
    stop.signal,
  );
  return { told, over, stop, opened: () => opened };
}

test("what comes close together is told together, without escapes; the end is told at once and nothing is asked after it", async () => {
  const { told, over, opened } = scene([
    [stands("preparing"), line("one"), line("\u001b[31mtwo\u001b[0m"), stands("done")],
  ]);
  await over;
  expect(told).toEqual(["done: one+two"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened()).toBe(1);
});

test("a stream that breaks is opened again and told from its beginning; no line is there twice", async () => {
  const { told, over } = scene([
    [stands("preparing"), line("one"), new Error("gone")],
    [stands("rolling"), line("one"), line("two"), stands("failed")],
  ]);
  await vi.advanceTimersByTimeAsync(499);
  expect(told).toEqual(["preparing: one"]);
  await vi.advanceTimersByTimeAsync(1);
  await over;
  expect(told).toEqual(["preparing: one", "failed: one+two"]);
});

test("one that the hub does not know any more is asked for no more", async () => {
  const missing = Object.assign(new Error("there is no rollout"), { code: "missing" });
  const { told, over, opened } = scene([[missing]]);
  await over;
  expect([told, opened()]).toEqual([[], 1]);
});

test("who stops is told nothing more", async () => {
  const { told, over, stop, opened } = scene([[stands("rolling"), new Error("gone")], [stands("done")]]);
  stop.abort();
  await over;
  expect([told, opened()]).toEqual([[], 1]);
});

test("only the last lines are kept", async () => {
  const many = Array.from({ length: 700 }, (_, index) => line(`${index}`));
  const { told, over } = scene([[stands("preparing"), ...many, stands("done")]]);
  await over;
  const [, lines = ""] = told[0]?.split(": ") ?? [];
  expect(lines.split("+")).toHaveLength(500);
  expect(lines).toMatch(/^200\+.*\+699$/);
});
