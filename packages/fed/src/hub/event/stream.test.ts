import fc from "fast-check";
import { expect, test } from "vitest";
import { makeNotice } from "#base/notice.ts";
import type { StreamItem } from "#wire/event.ts";
import { everything, follow, makeScene, range, say, sequencesOf, silence, take } from "./event.scene.ts";
import { readFilter } from "./event.ts";

const never = () => new AbortController().signal;

/** Lets what waits for a turn of the loop, such as a page from the disk, go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("say" as const), count: fc.oneof(fc.nat(5), fc.constantFrom(499, 700, 1_300)) }),
    fc.record({ kind: fc.constant("read" as const), count: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ kind: fc.constant("reconnect" as const), count: fc.constant(0) }),
    fc.record({ kind: fc.constant("restart" as const), count: fc.constant(0) }),
  ),
  { minLength: 1, maxLength: 14 },
);

test("who reads, is cut off and reads on misses nothing and sees nothing twice, whatever comes between", async () => {
  const filters = fc.constantFrom(everything, readFilter({ type: "user.", subject: "user:" }));
  await fc.assert(
    fc.asyncProperty(steps, filters, async (all, filter) => {
      const scene = makeScene();
      let log = scene.log;
      let reader: AsyncIterator<StreamItem> | undefined;
      const seen: number[] = [];
      const expected: number[] = [];
      const read = async (count: number) => {
        reader ??= log.stream({ filter, after: seen.at(-1) ?? 0 }, silence, never())[Symbol.asyncIterator]();
        for (let n = 0; n < count && seen.length < expected.length; n++) {
          const next = await reader.next();
          if (next.done || next.value.kind !== "event") throw new Error(JSON.stringify(next));
          seen.push(next.value.event.sequence);
        }
      };
      const cutOff = async () => {
        await reader?.return?.();
        reader = undefined;
      };
      for (const { kind, count } of all) {
        if (kind === "read") await read(count);
        else if (kind === "reconnect") await cutOff();
        else if (kind === "restart") {
          await cutOff();
          log = scene.reopen();
        } else if (count > 0) {
          say(log, count, "user:ada", { type: "user.enabled" });
          expected.push(...range(log.last - count + 1, log.last));
          say(log, 1, "machine:a");
          if (filter === everything) expected.push(log.last);
        }
      }
      await read(Number.POSITIVE_INFINITY);
      await cutOff();
      expect(seen).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

test("a stream begins with the call, not with the first pull", async () => {
  const { log } = makeScene();
  say(log, 3);
  const changes = makeNotice();
  const stream = log.stream({ filter: everything, after: undefined }, changes.listen, never());
  changes.send();
  say(log, 2);
  const items = await take(stream, 3);
  expect(sequencesOf(items)).toEqual([4, 5]);
  expect(items[2]).toEqual({ kind: "changed" });
});

test("all readers are given the very same object, so that it is made into text once", async () => {
  const { log } = makeScene();
  say(log, 3);
  const read = () => take(log.stream({ filter: everything, after: 0 }, silence, never()), 3);
  const [one, other] = await Promise.all([read(), read()]);
  expect(one?.[2]).toBe(other?.[2]);
});

test("a live reader gets what matches as it happens", async () => {
  const { log, clock } = makeScene();
  const { got } = follow(log, { filter: readFilter({ type: "machine." }) });
  say(log, 2, "user:ada", { type: "user.enabled" });
  say(log, 1);
  await clock.turn(0);
  expect(sequencesOf(got)).toEqual([3]);
});

test("a slow reader holds up neither deeds nor other readers, is kept nothing for, and catches up", async () => {
  const { log } = makeScene();
  const slow = log.stream({ filter: everything, after: undefined }, silence, never())[Symbol.asyncIterator]();
  const { got } = follow(log);
  const first = slow.next();
  for (let n = 0; n < 3_000; n += 100) {
    say(log, 100);
    await turn();
  }
  expect(sequencesOf(got)).toEqual(range(1, 3_000));
  const rest: number[] = [];
  for (let n = 0; n < 2_999; n++) {
    const { value } = await slow.next();
    rest.push(value?.kind === "event" ? value.event.sequence : -1);
  }
  expect((await first).value).toMatchObject({ event: { sequence: 1 } });
  expect(rest).toEqual(range(2, 3_000));
  await slow.return?.();
});

test("who reads a long log for what is not in it lets others have their turn", async () => {
  const { log } = makeScene();
  say(log, 20_000);
  const filter = readFilter({ type: "user." });
  let turns = 0;
  const count = () => {
    turns++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const { got } = follow(log, { filter, after: 0 });
  // Told last, because the pages of the log come first.
  const last = take(log.stream({ filter, after: 0 }, silence, never()), 1);
  while (turns < 20) await turn();
  expect(got).toEqual([]);
  say(log, 1, "user:ada", { type: "user.enabled" });
  expect(sequencesOf(await last)).toEqual([20_001]);
  clearImmediate(counting);
  expect(turns).toBeGreaterThan(35);
});

test("who knows more than there is, as after a restore, is told and goes on from now", async () => {
  const { log } = makeScene();
  say(log, 5);
  const ahead = log.stream({ filter: everything, after: 1_000 }, silence, never());
  say(log, 1);
  expect(await take(ahead, 2)).toMatchObject([
    { kind: "gap", first: 6 },
    { kind: "event", event: { sequence: 6 } },
  ]);
});

test("changes are told at once, then at most every 100 ms, and the last one is never lost", async () => {
  const { log, clock } = makeScene();
  const changes = makeNotice();
  const { got, done, stop } = follow(log, {}, changes.listen);
  await clock.turn(0);
  for (let n = 0; n < 50; n++) changes.send();
  await clock.turn(0);
  expect(got).toEqual([{ kind: "changed" }]);
  changes.send();
  await clock.turn(50);
  // An event wakes the reader, but does not shorten the pause.
  say(log, 1);
  await clock.turn(49);
  expect(got.map(({ kind }) => kind)).toEqual(["changed", "event"]);
  await clock.turn(1);
  expect(got.map(({ kind }) => kind)).toEqual(["changed", "event", "changed"]);
  await clock.turn(1_000);
  expect(got).toHaveLength(3);
  stop();
  await done;
  expect(clock.waiting).toBe(0);
});

test("of changes at any moments each is followed by a nudge within 100 ms, and nudges keep their distance", async () => {
  const waits = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(waits, async (all) => {
      const { log, clock } = makeScene();
      const changes = makeNotice();
      const told: number[] = [];
      const sent: number[] = [];
      const stop = new AbortController();
      const reading = (async () => {
        for await (const item of log.stream({ filter: everything, after: undefined }, changes.listen, stop.signal))
          if (item.kind === "changed") told.push(clock.tickMs());
      })();
      for (const waitMs of all) {
        await clock.turn(waitMs);
        sent.push(clock.tickMs());
        changes.send();
      }
      await clock.turn(500);
      stop.abort();
      await reading;
      for (const atMs of sent) expect(told.some((toldMs) => toldMs >= atMs && toldMs <= atMs + 100)).toBe(true);
      told.slice(1).forEach((atMs, n) => {
        expect(atMs - (told[n] ?? 0)).toBeGreaterThanOrEqual(100);
      });
    }),
    { numRuns: 25 },
  );
});

test("a reader who is always behind hears of changes too", async () => {
  const { log } = makeScene();
  say(log, 600);
  const changes = makeNotice();
  const got: StreamItem[] = [];
  for await (const item of log.stream({ filter: everything, after: 0 }, changes.listen, never())) {
    if (got.length === 0) changes.send();
    got.push(item);
    if (item.kind === "changed") break;
    say(log, 1);
  }
  expect(got.length).toBeLessThan(700);
});

test.for(["the signal aborts", "the log is closed"])(
  "a stream ends when %s, pulled or not, and leaves nothing",
  async (how) => {
    const { log, clock } = makeScene();
    const changes = makeNotice();
    let listening = 0;
    const onChanged = (listener: () => void) => {
      listening++;
      const end = changes.listen(listener);
      return () => {
        listening--;
        end();
      };
    };
    const stop = new AbortController();
    const open = () => log.stream({ filter: everything, after: undefined }, onChanged, stop.signal);
    const reading = take(open(), 99);
    open();
    changes.send();
    await clock.turn(0);
    expect([listening, clock.waiting]).toEqual([2, 1]);
    if (how === "the log is closed") log.close();
    else stop.abort();
    expect(await reading).toEqual([{ kind: "changed" }]);
    expect([listening, clock.waiting]).toEqual([0, 0]);
    expect(await take(open(), 1)).toEqual([]);
    expect(listening).toBe(0);
  },
);

test("a reader that stops in the middle of a page is done with", async () => {
  const { log } = makeScene();
  say(log, 400);
  const stop = new AbortController();
  const got: StreamItem[] = [];
  for await (const item of log.stream({ filter: everything, after: 0 }, silence, stop.signal)) {
    got.push(item);
    if (got.length === 10) stop.abort();
  }
  expect(got).toHaveLength(10);
});
