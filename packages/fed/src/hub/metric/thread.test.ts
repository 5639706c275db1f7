import { compress } from "snappyjs";
import { expect, onTestFinished, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { writeWriteRequest } from "#engine/exposition/remote-write.ts";
import { labelsOf } from "#engine/series/labels.ts";
import { type RunningStore, startTsdb } from "#engine/tsdb/remote.ts";
import { queryAnswerShape } from "#wire/metric.ts";
import { isLittle } from "./keep.ts";
import { openThread, type ThreadNeeds } from "./thread.ts";

const never = new AbortController().signal;
const nowMs = Date.now();

async function openHere(limits: ThreadNeeds["limits"] = {}) {
  const folder = tempFolder();
  let store: RunningStore | undefined;
  const open = async () => {
    if (store === undefined) {
      const opened = await startTsdb(folder);
      store = opened;
      void opened.ended.then(() => {
        if (store === opened) store = undefined;
      });
    }
    return store;
  };
  const clock = handClock(nowMs);
  const thread = openThread({ store: open, clock, limits });
  onTestFinished(async () => {
    await thread.close();
    await store?.close();
  });
  const ask = async (text: string, signal = never, range = { startMs: nowMs, endMs: nowMs, stepMs: 0 }) =>
    await thread.ask({ kind: "query", text, range, timeoutMs: 60_000, limit: 0 }, 60_000, signal);
  const query = async (text: string) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of await ask(text)) pieces.push(piece);
    return queryAnswerShape.parse(JSON.parse(Buffer.concat(pieces).toString())).data;
  };
  const fill = async (count: number) => {
    const labels = Array.from({ length: count }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));
    const times = new Float64Array(count).fill(nowMs);
    return await (await open()).append({ labels, times, values: times });
  };
  return { thread, clock, ask, query, fill, store: open };
}

/** Work of some hundred milliseconds that gives way now and then, and a short answer. */
const long = "count_over_time(sum_over_time(vector(1)[1h:1s])[5h:1s])";

/** One expression on a text of a hundred million letters: nothing comes between. */
const stubborn = Array.from({ length: 8 }).reduce<string>(
  (inner) => `label_replace(${inner}, "a", "$1$1$1$1$1$1$1$1$1$1", "a", "(.*)")`,
  `label_replace(vector(1), "a", "x", "", "")`,
);

test("it starts when it is needed, ends when it is idle, and starts again", async () => {
  const { thread, clock, query } = await openHere({ idleMs: 5_000 });
  expect(thread.awake).toBe(false);
  expect((await query("1 + 1")).result).toEqual([nowMs / 1_000, "2"]);
  await clock.turn(4_000);
  expect((await query("vector(3)")).result).toHaveLength(1);
  await clock.turn(4_999);
  expect(thread.awake).toBe(true);
  await clock.turn(1);
  expect(thread.awake).toBe(false);
  expect(clock.waiting).toBe(0);
  expect((await query("2")).result).toEqual([nowMs / 1_000, "2"]);
});

test("the hub's thread has nothing to do while a query is evaluated", async () => {
  const { query } = await openHere();
  await query("1");
  const before = performance.eventLoopUtilization();
  await query(long.replace("5h", "40h"));
  const { utilization } = performance.eventLoopUtilization(before);
  expect(utilization).toBeLessThan(0.5);
});

test("faults come as they are: of the text, and of the evaluation", async () => {
  const { query, fill, thread } = await openHere();
  await fill(2);
  await expect(query("sum(")).rejects.toMatchObject({ code: "invalid", details: undefined });
  await expect(query("m + on() m")).rejects.toMatchObject({ code: "invalid", details: { execution: true } });
  const question = { kind: "query", text: long, range: { startMs: 0, endMs: 0, stepMs: 0 }, limit: 0 } as const;
  await expect(thread.ask({ ...question, timeoutMs: 10 }, 10, never)).rejects.toMatchObject({ code: "timeout" });
  expect(thread.awake).toBe(true);
});

test("who goes ends the work at once, and the thread lives on for the others", async () => {
  const { thread, clock, ask, query } = await openHere();
  await query("1");
  const gone = new AbortController();
  const asked = ask(long.replace("5h", "20d"), gone.signal);
  const other = query("2");
  gone.abort(new Error("gone"));
  await expect(asked).rejects.toThrow("gone");
  expect((await other).result).toEqual([nowMs / 1_000, "2"]);
  // Gives way now and then itself, so the other has had its turn.
  await query(long);
  await clock.turn(1_000);
  expect(thread.awake).toBe(true);
  await expect(ask("1", gone.signal)).rejects.toThrow("gone");
});

test("a query that does not give way is ended with the thread; the store goes on, and so does the next query", async () => {
  const { thread, clock, ask, query, fill } = await openHere();
  await fill(3);
  await query("1");
  const gone = new AbortController();
  const asked = ask(stubborn, gone.signal);
  const other = query("2");
  gone.abort(new Error("gone"));
  await expect(asked).rejects.toThrow("gone");
  await clock.turn(999);
  expect(thread.awake).toBe(true);
  await clock.turn(1);
  expect(thread.awake).toBe(false);
  await expect(other).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("give way") });
  expect(await fill(4)).toMatchObject({ added: 1, same: 3 });
  expect((await query("count(m)")).result).toMatchObject([{ value: [nowMs / 1_000, "4"] }]);
});

test("one that is over its time is ended too", async () => {
  const { thread, clock, ask, query } = await openHere();
  await query("1");
  const asked = ask(stubborn);
  const outcome = expect(asked).rejects.toMatchObject({ code: "timeout" });
  await clock.turn(0);
  await clock.turn(61_000);
  await outcome;
  await clock.turn(1_000);
  expect(thread.awake).toBe(false);
});

test("a thread that runs out of memory takes its queries with it and nothing else", async () => {
  const { thread, query, fill } = await openHere({ heapMb: 32 });
  await fill(3);
  await expect(query(stubborn)).rejects.toMatchObject({ code: "unreachable", message: /memory/ });
  expect(thread.awake).toBe(false);
  expect((await query("count(m)")).result).toMatchObject([{ value: [nowMs / 1_000, "3"] }]);
});

test("a long answer comes in pieces, as fast as it is read, and ends when nobody reads it", async () => {
  const { thread, clock, ask, query, fill } = await openHere();
  await fill(200);
  const day = { startMs: nowMs, endMs: nowMs + 299_000, stepMs: 100 };
  const pieces: Uint8Array[] = [];
  for await (const piece of await ask("m", never, day)) {
    pieces.push(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(pieces.length).toBeGreaterThan(20);
  const { result } = queryAnswerShape.parse(JSON.parse(Buffer.concat(pieces).toString())).data;
  expect(result).toHaveLength(200);
  expect(result[199]).toMatchObject({ values: { length: 2_991 } });
  for await (const piece of await ask("m", never, day)) {
    expect(piece.length).toBeGreaterThan(1_000);
    break;
  }
  await query(long);
  await clock.turn(1_000);
  expect(thread.awake).toBe(true);
});

test("names and series are lists in the envelope, each once", async () => {
  const { thread, fill } = await openHere();
  await fill(3);
  const matchers = [{ name: "nth", kind: "=~", value: "0|1" }] as const;
  const among = { selectors: [matchers, matchers], span: { startMs: 0, endMs: nowMs } };
  const listOf = async (question: Parameters<typeof thread.ask>[0]) => {
    const [piece = new Uint8Array(0)] = (await thread.ask(question, 1_000, never)) as Iterable<Uint8Array>;
    return JSON.parse(Buffer.from(piece).toString()).data;
  };
  const both = [
    { __name__: "m", nth: "0" },
    { __name__: "m", nth: "1" },
  ];
  expect(await listOf({ kind: "series", ...among, limit: 0 })).toEqual(both);
  expect(await listOf({ kind: "labelNames", ...among, limit: 1 })).toEqual(["__name__"]);
  expect(await listOf({ kind: "labelValues", name: "nth", ...among, selectors: [], limit: 0 })).toEqual([
    "0",
    "1",
    "2",
  ]);
});

test("what is sent is read and kept, and what metrics say of themselves is told once", async () => {
  const { thread, query } = await openHere();
  const text = Buffer.from("# TYPE a gauge\na 4\nb x\n");
  const sent = { kind: "text", format: "text", timeMs: nowMs } as const;
  const first = await thread.keep({ ...sent, bytes: new Uint8Array(text) }, "me");
  expect(first).toMatchObject({ added: 1, refused: 1, notes: [{ about: "type", metric: "a", text: "gauge" }] });
  expect(first.words).toEqual([expect.stringContaining("line 3")]);
  // A part of a buffer that others have a share in.
  expect(await thread.keep({ ...sent, bytes: text.subarray(0) as Uint8Array<ArrayBuffer> }, "me")).toMatchObject({
    ...{ same: 1, notes: [] },
  });
  const series = [{ labels: labelsOf({ __name__: "w" }), times: Float64Array.of(nowMs), values: Float64Array.of(7) }];
  const bytes = new Uint8Array(compress(writeWriteRequest(series)));
  expect(await thread.keep({ kind: "write", bytes }, "me")).toMatchObject({ added: 1, refused: 0, words: [] });
  expect(bytes.length).toBe(0);
  await expect(thread.keep({ kind: "write", bytes: Uint8Array.of(1, 2, 3) }, "")).rejects.toMatchObject({
    code: "invalid",
  });
  expect((await query("a + on() w")).result).toMatchObject([{ value: [nowMs / 1_000, "11"] }]);
});

test("when the store has ended, so has the thread; both come again", async () => {
  const { thread, query, store, fill } = await openHere();
  await fill(2);
  await query("m");
  await (await store()).close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(thread.awake).toBe(false);
  expect((await query("count(m)")).result).toMatchObject([{ value: [nowMs / 1_000, "2"] }]);
});

test("what is little is known by its length, a packed request by what it says of itself", () => {
  const write = (bytes: Uint8Array<ArrayBuffer>) => isLittle({ kind: "write", bytes });
  expect(write(new Uint8Array(compress(new Uint8Array(1_000))))).toBe(true);
  expect(write(new Uint8Array(compress(new Uint8Array(10_000_000))))).toBe(false);
  expect(write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07))).toBe(false);
  expect(write(new Uint8Array(0))).toBe(true);
  const text = (length: number) => isLittle({ kind: "text", bytes: new Uint8Array(length), format: "text", timeMs: 0 });
  expect([text(1_000), text(1_000_000)]).toEqual([true, false]);
});
