import { appendFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readLog } from "./log.ts";
import { keptBytes, openOutput, type Punch } from "./output.ts";

let folder: string;
let path: string;
const going = () => new AbortController().signal;
const cannot: Punch = () => Promise.reject(new Error("Operation not supported"));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fed-output-"));
  path = join(folder, "output");
  appendFileSync(path, "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Appends numbered lines of about 1 kB. */
function fill(from: number, to: number): void {
  const pad = "x".repeat(1_000);
  appendFileSync(path, Array.from({ length: to - from }, (_, i) => `${from + i} ${pad}\n`).join(""));
}

function source(output = openOutput(folder)) {
  const state = { ended: true, wake: () => {} };
  const onEnd = (wake: () => void) => {
    state.wake = wake;
    return () => {};
  };
  return { id: "ins_a", output, ended: () => state.ended, onEnd, state };
}

async function readNumbers(from = source(), options = {}): Promise<readonly number[]> {
  const numbers: number[] = [];
  for await (const { text } of readLog(from, options, going())) numbers.push(Number.parseInt(text, 10));
  return numbers;
}

const count = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test.each([
  ["a hole", undefined],
  ["a copy", cannot],
])("the last 10 MB are kept, in whole lines, by %s; the next hub knows", async (_, punch) => {
  const output = openOutput(folder);
  fill(0, 11_000);
  await output.trim(punch);
  expect(await readNumbers(source(output))).toHaveLength(11_000);
  for (let from = 11_000; from < 33_000; from += 11_000) {
    fill(from, from + 11_000);
    await output.trim(punch);
    const numbers = await readNumbers(source(output));
    expect(numbers).toEqual(count(from + 11_000 - numbers.length, from + 11_000));
    expect(numbers.length * 1_007).toBeGreaterThan(keptBytes - 2_000);
    expect(statSync(path).blocks * 512).toBeLessThan(keptBytes + 100_000);
    expect(await readNumbers()).toEqual(numbers);
  }
});

test("a follower does not notice that the beginning is cut off", async () => {
  const output = openOutput(folder);
  const from = source(output);
  from.state.ended = false;
  const numbers: number[] = [];
  const following = (async () => {
    for await (const { text } of readLog(from, { follow: true }, going())) numbers.push(Number.parseInt(text, 10));
  })();
  for (let at = 0; at < 40_000; at += 2_000) {
    fill(at, at + 2_000);
    const trimmed = output.trim();
    await vi.waitFor(() => expect(numbers.length).toBeGreaterThanOrEqual(at + 1_000));
    await trimmed;
  }
  from.state.ended = true;
  from.state.wake();
  await following;
  expect(numbers).toEqual(count(0, 40_000));
  expect(output.startBytes).toBeGreaterThan(0);
});

test("a reader that is left behind is told how much it missed", async () => {
  const output = openOutput(folder);
  fill(0, 1_000);
  const reader = readLog(source(output), {}, going())[Symbol.asyncIterator]();
  expect((await reader.next()).value?.text).toMatch(/^0 x/);
  fill(1_000, 15_000);
  await output.trim();
  const texts: string[] = [];
  for (let next = await reader.next(); !next.done; next = await reader.next()) texts.push(next.value.text);
  expect(
    texts.filter((text) => /^… \[\d+ bytes of output were cut off before they were read\]$/.test(text)),
  ).toHaveLength(1);
  expect(texts.at(-1)).toMatch(/^14999 x/);
  expect(texts.some((text) => text.includes("\0"))).toBe(false);
});

test("the last lines are found from the end, whatever their lengths", async () => {
  const line = fc.oneof(
    fc.constant(""),
    fc.constant("ü"),
    fc.nat(70_000).map((length) => "a".repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 14 }),
      async (lines, open, tail) => {
        rmSync(path);
        appendFileSync(path, lines.map((text) => `${text}\n`).join("") + (open ? "end" : ""));
        const all: string[] = [];
        for await (const { text } of readLog(source(), {}, going())) all.push(text);
        const last: string[] = [];
        for await (const { text } of readLog(source(), { tail }, going())) last.push(text);
        expect(last).toEqual(all.slice(-tail));
      },
    ),
    { numRuns: 60 },
  );
});

test("a follower gets a line when it is whole, and the rest at the end", async () => {
  const from = source();
  from.state.ended = false;
  const texts: string[] = [];
  const following = (async () => {
    for await (const { text } of readLog(from, { follow: true }, going())) texts.push(text);
  })();
  appendFileSync(path, "one\ntw");
  await vi.waitFor(() => expect(texts).toEqual(["one"]));
  appendFileSync(path, "o\nthr");
  await vi.waitFor(() => expect(texts).toEqual(["one", "two"]));
  appendFileSync(path, "ee");
  from.state.ended = true;
  from.state.wake();
  await following;
  expect(texts).toEqual(["one", "two", "three"]);
});
