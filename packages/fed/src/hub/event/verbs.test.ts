import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeNotice } from "#base/notice.ts";
import { silentTrace } from "#base/trace.ts";
import { migrate } from "#disk/migrate.ts";
import { openDatabase } from "#disk/sqlite.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { firstLight } from "#hub/db/migrations/0001-first-light.ts";
import { usersAndChain } from "#hub/db/migrations/0002-users-and-chain.ts";
import type { StreamItem } from "#wire/event.ts";
import type { Retention } from "./event.ts";
import { readFilter } from "./event.ts";
import { type EventLog, openEventLog } from "./verbs.ts";

const origin = { actor: "hub", correlation: "cor_1" };
const everything = readFilter({});

function makeStage(retention?: Retention) {
  const control = openTestControl();
  onTestFinished(() => control[Symbol.dispose]());
  const clock = handClock();
  const open = () => openEventLog({ db: control.db, clock, trace: silentTrace, ...(retention ? { retention } : {}) });
  return { ...control, clock, open, log: open() };
}

const say = (log: EventLog, count: number, subject = "user:ada") => {
  for (let n = 0; n < count; n++)
    log.deed(origin, (_tx, emit) => emit(subject, { type: "user.added", role: "viewer" }));
};

const sequencesOf = (items: readonly StreamItem[]) =>
  items.flatMap((item) => (item.kind === "event" ? [item.event.sequence] : []));

test("a deed that is undone leaves no event, tells nobody, and the chain goes on", async () => {
  const { log, open } = makeStage();
  const heard: number[] = [];
  log.listen(({ sequence }) => heard.push(sequence));
  fc.assert(
    fc.property(fc.array(fc.record({ events: fc.nat(3), fails: fc.boolean() }), { maxLength: 20 }), (deeds) => {
      const before = log.last;
      let expected = 0;
      for (const { events, fails } of deeds) {
        const run = () =>
          log.deed(origin, (_tx, emit) => {
            for (let n = 0; n < events; n++) emit("machine:a", { type: "machine.removed" });
            if (fails) throw new Error("undone");
          });
        if (fails) expect(run).toThrow("undone");
        else {
          run();
          expected += events;
        }
      }
      expect(log.last).toBe(before + expected);
    }),
    { numRuns: 50 },
  );
  expect(heard).toEqual(Array.from({ length: log.last }, (_, n) => n + 1));
  expect(await log.verify()).toMatchObject({ kind: "sound", events: log.last, first: 1, last: log.last });
  expect(await open().verify()).toEqual(await log.verify());
});

test("a listener that fails hurts neither the deed nor the others", () => {
  const { log } = makeStage();
  const heard: string[] = [];
  log.listen(() => {
    throw new Error("deaf");
  });
  log.listen(({ type }) => heard.push(type));
  say(log, 1);
  expect(heard).toEqual(["user.added"]);
});

test("a row that was changed in the file is named", async () => {
  const { log, db, open } = makeStage();
  say(log, 5_000);
  db.tx((tx) => tx.run("UPDATE event SET actor = 'nobody' WHERE sequence = 4321"));
  expect(await open().verify()).toMatchObject({ kind: "broken", sequence: 4321 });
  db.tx((tx) => tx.run("UPDATE event SET actor = 'hub' WHERE sequence = 4321"));
  db.tx((tx) => tx.run("DELETE FROM event WHERE sequence = 17"));
  expect(await log.verify()).toEqual({ kind: "broken", sequence: 17, reason: "event 17 is missing" });
});

test("the list filters by type, noun, subject and time, and pages back", async () => {
  const { log, clock } = makeStage();
  say(log, 3);
  const laterMs = clock.nowMs() + 1_000;
  await clock.turn(1_000);
  log.deed(origin, (_tx, emit) => {
    emit("machine:a", { type: "machine.removed" });
    emit("machine:b", { type: "machine.added", kind: "server" });
    emit("hub", { type: "hub.stopping", reason: "asked to" });
  });
  const list = (input: { type?: string; subject?: string }, more: { before?: number; sinceMs?: number } = {}) =>
    log
      .list({ ...readFilter(input), before: more.before, sinceMs: more.sinceMs, limit: 100 })
      .map(({ sequence }) => sequence);
  expect(list({})).toEqual([6, 5, 4, 3, 2, 1]);
  expect(list({ type: "machine." })).toEqual([5, 4]);
  expect(list({ type: "machine.added, hub." })).toEqual([6, 5]);
  expect(list({ subject: "machine:" })).toEqual([5, 4]);
  expect(list({ subject: "machine:b" })).toEqual([5]);
  expect(list({ subject: "machine" })).toEqual([]);
  expect(list({}, { before: 3 })).toEqual([2, 1]);
  expect(list({}, { sinceMs: laterMs })).toEqual([6, 5, 4]);
  expect(() => list({ type: "machine.exploded" })).toThrow("there is no event of type machine.exploded");
});

test("retention drops the oldest, says so in the chain, and what is kept stays provable", async () => {
  const { log, open } = makeStage({ maxAgeMs: 1e15, maxEvents: 100, maxBytes: 1e15 });
  say(log, 12_000);
  expect(log.trim(origin)).toBe(true);
  while (log.trim(origin));
  const verdict = await open().verify();
  expect(verdict).toMatchObject({ kind: "sound", last: log.last });
  expect(verdict.kind === "sound" && verdict.events).toBeLessThanOrEqual(102);
  expect(log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 1 })[0]).toMatchObject({
    type: "log.trimmed",
    data: { upTo: verdict.kind === "sound" ? verdict.first - 1 : 0 },
  });
});

test("retention goes by age and by size too, and never drops the newest", async () => {
  const aged = makeStage({ maxAgeMs: 1_000, maxEvents: 1e9, maxBytes: 1e15 });
  say(aged.log, 10);
  await aged.clock.turn(5_000);
  say(aged.log, 5);
  expect(aged.log.trim(origin)).toBe(false);
  expect(await aged.log.verify()).toMatchObject({ kind: "sound", first: 11, events: 6 });
  const small = makeStage({ maxAgeMs: 1e15, maxEvents: 1e9, maxBytes: 5_000 });
  say(small.log, 500);
  small.log.trim(origin);
  expect(await small.log.verify()).toMatchObject({ kind: "sound", last: 501 });
  const verdict = await small.log.verify();
  expect(verdict.kind === "sound" && verdict.events).toBeLessThan(30);
});

/** Reads until `wanted` items came. */
async function read(items: AsyncIterable<StreamItem>, wanted: number): Promise<StreamItem[]> {
  const got: StreamItem[] = [];
  for await (const item of items) {
    got.push(item);
    if (got.length === wanted) break;
  }
  return got;
}

test("who reads on from where they stopped misses nothing and sees nothing twice", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ events: fc.nat(40), take: fc.integer({ min: 1, max: 30 }) }), {
        minLength: 1,
        maxLength: 8,
      }),
      async (rounds) => {
        const { log } = makeStage();
        const seen: number[] = [];
        for (const { events, take } of rounds) {
          say(log, events);
          const left = log.last - (seen.at(-1) ?? 0);
          if (left === 0) continue;
          const after = seen.at(-1) ?? 0;
          const stream = log.stream({ filter: everything, after }, () => () => {}, AbortSignal.timeout(10_000));
          seen.push(...sequencesOf(await read(stream, Math.min(take, left))));
        }
        expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => n + 1));
      },
    ),
    { numRuns: 20 },
  );
});

test("a reader that is far behind reads from the database, one that is near from memory, without a seam", async () => {
  const { log } = makeStage();
  say(log, 3_500);
  const stream = log.stream({ filter: everything, after: 0 }, () => () => {}, AbortSignal.timeout(10_000));
  expect(sequencesOf(await read(stream, 3_500))).toEqual(Array.from({ length: 3_500 }, (_, n) => n + 1));
});

test("two readers are given the very same object, so that it is made into text once", async () => {
  const { log } = makeStage();
  say(log, 3);
  const both = await Promise.all(
    [1, 2].map(() =>
      read(
        log.stream({ filter: everything, after: 0 }, () => () => {}, AbortSignal.timeout(10_000)),
        3,
      ),
    ),
  );
  expect(both[0]?.[2]).toBe(both[1]?.[2]);
});

test("a live reader gets what matches as it happens", async () => {
  const { log } = makeStage();
  const stop = new AbortController();
  const got: StreamItem[] = [];
  const reading = (async () => {
    const filter = readFilter({ type: "machine." });
    for await (const item of log.stream({ filter, after: undefined }, () => () => {}, stop.signal)) got.push(item);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  say(log, 2);
  log.deed(origin, (_tx, emit) => emit("machine:a", { type: "machine.removed" }));
  await expect.poll(() => sequencesOf(got)).toEqual([3]);
  stop.abort();
  await reading;
});

test("a gap is told: when what was missed is dropped, and when the reader knows more than there is", async () => {
  const { log } = makeStage({ maxAgeMs: 1e15, maxEvents: 10, maxBytes: 1e15 });
  say(log, 5_000);
  log.trim(origin);
  const first = (await log.verify()) as { first: number };
  const late = log.stream({ filter: everything, after: 5 }, () => () => {}, AbortSignal.timeout(10_000));
  expect(await read(late, 2)).toMatchObject([
    { kind: "gap", first: first.first },
    { kind: "event", event: { sequence: first.first } },
  ]);
  const ahead = log.stream({ filter: everything, after: 1e9 }, () => () => {}, AbortSignal.timeout(10_000));
  expect(await read(ahead, 1)).toEqual([{ kind: "gap", first: log.last + 1 }]);
});

test("changes are told at once, then at most every 100 ms, and the last one is never lost", async () => {
  const { log, clock } = makeStage();
  const changes = makeNotice();
  const stop = new AbortController();
  const got: StreamItem[] = [];
  const reading = (async () => {
    for await (const item of log.stream({ filter: everything, after: undefined }, changes.listen, stop.signal))
      got.push(item);
  })();
  await clock.turn(0);
  for (let n = 0; n < 50; n++) changes.send();
  await clock.turn(0);
  expect(got).toEqual([{ kind: "changed" }]);
  changes.send();
  await clock.turn(99);
  expect(got).toHaveLength(1);
  await clock.turn(1);
  expect(got).toHaveLength(2);
  await clock.turn(1_000);
  expect(got).toHaveLength(2);
  stop.abort();
  await reading;
  expect(clock.waiting).toBe(0);
});

test("the events of a database from before the chain are chained by its migration", async () => {
  const { folder } = makeStage();
  const path = `${folder}/before.db`;
  const before = openDatabase(path);
  migrate(before, [firstLight]);
  before.close();
  const raw = new DatabaseSync(path);
  for (let n = 10; n < 20; n++)
    raw.exec(
      `INSERT INTO event VALUES (${n}, 1700000000000, 'hub', 'lab', 'c', '{"type":"lab.accepted","name":"a","hash":"h","file":"f"}')`,
    );
  raw.close();
  const db = openDatabase(path);
  onTestFinished(() => db.close());
  migrate(db, [firstLight, usersAndChain]);
  const log = openEventLog({ db, clock: handClock(), trace: silentTrace });
  say(log, 1);
  expect(await log.verify()).toMatchObject({ kind: "sound", first: 10, last: 20, events: 11 });
  expect(log.list({ ...everything, before: 20, sinceMs: undefined, limit: 1 })[0]).toMatchObject({
    type: "lab.accepted",
    data: { name: "a", hash: "h", file: "f" },
  });
});
