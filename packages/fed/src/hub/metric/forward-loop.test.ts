import { expect, onTestFinished, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import type { Outbox, Parcel } from "#engine/tsdb/outbox.ts";
import type { Verdict } from "./forward.ts";
import { type ForwardNeeds, forward, newDelivery } from "./forward-loop.ts";

interface Told {
  readonly kind: string;
  readonly reason?: string;
  readonly samples?: number;
}

/** A loop with an outbox of as many parcels as are put in, and a target that answers what it is told to. */
function openLoop(changes: Partial<ForwardNeeds> = {}) {
  const clock = handClock();
  const told: Told[] = [];
  const requests: { readonly rows: readonly number[]; readonly atMs: number; readonly authorization?: string }[] = [];
  const parcels: number[][] = [];
  const backlog = { bytes: 0, dropped: 0 };
  let wake = Promise.withResolvers<void>();
  let current: number[] = [];
  let done = 0;
  let trouble: Fault | undefined;
  let answerTo: (rows: readonly number[]) => Verdict = () => ({ kind: "taken" });
  const outbox: Outbox = {
    follow: async () => undefined,
    async next(_target, _form, signal): Promise<Parcel> {
      if (trouble) throw trouble;
      while (parcels.length === 0) {
        const gone = new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        await Promise.race([wake.promise, gone]);
      }
      current = parcels[0] as number[];
      return { body: Uint8Array.from(current), samples: current.length, newestMs: 5, again: false };
    },
    part: async (_target, begin, end) => Uint8Array.from(current.slice(begin, end)),
    async done() {
      parcels.shift();
      done++;
    },
    backlog: async () => [{ target: "far", ...backlog }],
  };
  const needs: ForwardNeeds = {
    ...{ name: "far", document: { url: "http://far" }, clock, random: () => 1, outbox: async () => outbox },
    sender: {
      async send(body, authorization) {
        const rows = [...body];
        const auth = authorization === undefined ? {} : { authorization };
        requests.push({ rows, atMs: clock.tickMs(), ...auth });
        return answerTo(rows);
      },
    },
    readSecret: async () => "geheim",
    turned: (turn) => void told.push(turn),
    dropped: (samples) => void told.push({ kind: "dropped", samples }),
    ...changes,
  };
  const delivery = newDelivery(clock.nowMs(), 0);
  const stop = new AbortController();
  const ended = forward(needs, delivery, stop.signal).catch(() => undefined);
  onTestFinished(async () => {
    stop.abort(new Error("over"));
    await ended;
  });
  return {
    ...{ clock, told, requests, delivery, backlog },
    done: () => done,
    answer(how: (rows: readonly number[]) => Verdict) {
      answerTo = how;
    },
    fail(fault: Fault | undefined) {
      trouble = fault;
    },
    /** Until everything has been done that needs no time. */
    async rest() {
      for (let i = 0; i < 50; i++) await clock.turn(0);
    },
    put(...rows: readonly number[]) {
      parcels.push([...rows]);
      wake.resolve();
      wake = Promise.withResolvers();
    },
  };
}

test("one parcel after the other, and small ones not too often", async () => {
  const loop = openLoop();
  loop.put(1, 2, 3);
  loop.put(4);
  await loop.clock.turn(0);
  expect(loop.requests.map(({ rows }) => rows)).toEqual([[1, 2, 3]]);
  await loop.clock.turn(500);
  expect(loop.requests.map(({ rows }) => rows)).toEqual([[1, 2, 3], [4]]);
  expect(loop.delivery).toMatchObject({ sentSamples: 4, state: "sending", newestMs: 5, pendingBytes: 0, lagMs: 0 });
  expect(loop.done()).toBe(2);
});

test("trouble is waited out, longer each time, told at the third and once, and so is its end", async () => {
  const loop = openLoop();
  loop.answer(() => ({ kind: "later", reason: "no" }));
  loop.backlog.bytes = 100;
  loop.put(1);
  await loop.clock.turn(8_000);
  expect(loop.requests.map(({ atMs }) => atMs)).toEqual([0, 250, 750, 1_750, 3_750, 7_750]);
  expect(loop.told).toEqual([{ kind: "failed", reason: "no" }]);
  expect(loop.delivery).toMatchObject({ state: "failing", retries: 6, pendingBytes: 100, lagMs: 7_750 });
  expect(loop.delivery.lastError).toMatchObject({ kind: "later", reason: "no" });
  loop.answer(() => ({ kind: "taken" }));
  loop.backlog.bytes = 0;
  await loop.clock.turn(8_000);
  expect(loop.requests.length).toBe(7);
  expect(loop.told.slice(1)).toEqual([{ kind: "recovered" }]);
  expect(loop.delivery).toMatchObject({ state: "sending", sentSamples: 1, refusedSamples: 0, lagMs: 0 });
});

test("a short hiccup is nobody's business, and a target that asks for time gets it", async () => {
  const loop = openLoop();
  let asked = 0;
  loop.answer(() => (++asked > 1 ? { kind: "taken" } : { kind: "later", reason: "busy", waitMs: 60_000 }));
  loop.put(1);
  await loop.clock.turn(59_999);
  expect(loop.requests.length).toBe(1);
  await loop.clock.turn(1);
  expect(loop.delivery.sentSamples).toBe(1);
  expect(loop.told).toEqual([]);
});

test("a wrong password loses nothing: it waits until somebody mends it", async () => {
  let password: string | undefined;
  const loop = openLoop({
    document: { url: "http://far", auth: { user: "ada", password: { secret: "P" } } },
    async readSecret(name) {
      if (password === undefined) throw new Fault("missing", `secret ${name} has no value`, { hint: "Write it." });
      return password;
    },
  });
  loop.answer((_rows) => ({ kind: "closed", reason: "it answers 401" }));
  loop.put(1);
  await loop.clock.turn(1_000);
  expect(loop.requests).toEqual([]);
  expect(loop.delivery.lastError).toMatchObject({ kind: "closed", reason: "secret P has no value. Write it." });
  password = "wrong";
  await loop.clock.turn(120_000);
  expect(loop.delivery.lastError).toMatchObject({ kind: "closed", reason: "it answers 401" });
  loop.answer(() => ({ kind: "taken" }));
  await loop.clock.turn(30_000);
  expect(loop.requests.at(-1)?.authorization).toBe(`Basic ${Buffer.from("ada:wrong").toString("base64")}`);
  expect(loop.delivery).toMatchObject({ sentSamples: 1, refusedSamples: 0 });
});

test("of a parcel that is refused, all goes but what is really meant", async () => {
  const loop = openLoop();
  const bad = new Set([7, 40]);
  loop.answer((rows) => (rows.some((row) => bad.has(row)) ? { kind: "refused", reason: "late" } : { kind: "taken" }));
  loop.put(...Array.from({ length: 64 }, (_, row) => row));
  await loop.rest();
  expect(loop.delivery).toMatchObject({ sentSamples: 62, refusedSamples: 2, state: "sending", retries: 0 });
  expect(loop.delivery.lastError).toMatchObject({ kind: "refused", reason: "late" });
  expect(loop.done()).toBe(1);
  expect(loop.told).toEqual([]);
});

test("what may have come through before it was refused is no loss", async () => {
  const loop = openLoop();
  let asked = 0;
  loop.answer(() =>
    ++asked > 1 ? { kind: "refused", reason: "out of order" } : { kind: "later", reason: "no answer" },
  );
  loop.put(1, 2, 3);
  await loop.clock.turn(250);
  await loop.rest();
  expect(loop.delivery).toMatchObject({ sentSamples: 3, refusedSamples: 0, state: "sending" });
  loop.put(4);
  await loop.clock.turn(500);
  await loop.rest();
  expect(loop.delivery).toMatchObject({ sentSamples: 3, refusedSamples: 1 });
});

test("what is refused as a whole is not asked for ever, and what is too large is cut", async () => {
  const loop = openLoop();
  loop.answer(() => ({ kind: "refused", reason: "all of it" }));
  loop.put(...Array.from({ length: 255 }, (_, row) => row));
  await loop.rest();
  expect(loop.delivery).toMatchObject({ sentSamples: 0, refusedSamples: 255 });
  expect(loop.requests.length).toBeLessThanOrEqual(65);
  const before = loop.requests.length;
  loop.answer(({ length }) => (length > 10 ? { kind: "too large", reason: "too much" } : { kind: "taken" }));
  loop.put(...Array.from({ length: 100 }, (_, row) => row));
  await loop.clock.turn(500);
  await loop.rest();
  expect(loop.delivery).toMatchObject({ sentSamples: 100, refusedSamples: 255 });
  const taken = loop.requests.slice(before).filter(({ rows }) => rows.length <= 10);
  expect(taken.flatMap(({ rows }) => rows)).toEqual(Array.from({ length: 100 }, (_, row) => row));
});

test("a store that cannot be read is waited for, a selector that is none is said, and drops are told once", async () => {
  const loop = openLoop({ document: { url: "http://far", only: ["{"] } });
  loop.put(1);
  await loop.clock.turn(1_000);
  expect(loop.delivery.lastError?.kind).toBe("closed");

  const other = openLoop();
  other.fail(new Fault("unreachable", "the disk failed"));
  await other.clock.turn(1_000);
  expect(other.delivery).toMatchObject({ state: "failing", lastError: { kind: "later", reason: "the disk failed" } });
  other.fail(undefined);
  other.backlog.dropped = 30;
  other.put(1);
  other.put(2);
  await other.clock.turn(5_000);
  expect(other.delivery).toMatchObject({ state: "sending", sentSamples: 2, droppedSamples: 30 });
  expect(other.told.filter(({ kind }) => kind === "dropped")).toEqual([{ kind: "dropped", samples: 30 }]);
});
