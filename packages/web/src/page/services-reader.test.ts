import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type OutputListener, readOutput } from "./services-reader.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Streams one after the other; what was heard, in order. */
function scene(streams: readonly (readonly (string | Error)[])[]) {
  const heard: string[] = [];
  const stop = new AbortController();
  let opened = 0;
  async function* open() {
    const stream = streams[opened++] ?? [];
    for (const line of stream) {
      if (line instanceof Error) throw line;
      yield { instance: "i1", text: line };
    }
    if (opened >= streams.length) await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  }
  const listener: OutputListener = {
    onLines: (lines) => heard.push(lines.map(({ text }) => text).join("+")),
    onAgain: () => heard.push("again"),
    onBroken: (thrown) => heard.push(`broken: ${(thrown as Error).message}`),
  };
  const over = readOutput(open, listener, stop.signal);
  return { heard, over, stop, opened: () => opened };
}

test("lines that come close together are handed on together, without escapes", async () => {
  const { heard, over, stop } = scene([["one", "\u001b[31mtwo\u001b[0m"]]);
  await vi.advanceTimersByTimeAsync(49);
  expect(heard).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(heard).toEqual(["one+two"]);
  stop.abort();
  await over;
});

test("a broken stream says so and is read again, from the beginning", async () => {
  const { heard, over, stop } = scene([
    ["one", new Error("gone")],
    ["one", "two"],
  ]);
  await vi.advanceTimersByTimeAsync(499);
  expect(heard).toEqual(["broken: gone", "one"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(heard).toEqual(["broken: gone", "one", "again", "one+two"]);
  stop.abort();
  await over;
});

test("the pauses grow while nobody answers", async () => {
  const away = [new Error("away")];
  const { over, stop, opened } = scene([away, away, away, []]);
  await vi.advanceTimersByTimeAsync(500);
  expect(opened()).toBe(2);
  await vi.advanceTimersByTimeAsync(999);
  expect(opened()).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(opened()).toBe(3);
  await vi.advanceTimersByTimeAsync(2000);
  expect(opened()).toBe(4);
  stop.abort();
  await over;
});

test("who has left hears nothing more, and no timer stays", async () => {
  const { heard, over, stop } = scene([["one"]]);
  await vi.advanceTimersByTimeAsync(10);
  stop.abort();
  await vi.runAllTimersAsync();
  await over;
  expect(heard).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
