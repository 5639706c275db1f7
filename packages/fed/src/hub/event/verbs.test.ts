import fc from "fast-check";
import { expect, test } from "vitest";
import { makeRedactor } from "#base/redact.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import { everything, listed, makeScene, origin, range, say } from "./event.scene.ts";
import { readFilter } from "./event.ts";

test("a deed that is undone leaves no event, tells nobody, and the chain goes on", async () => {
  const { log, reopen } = makeScene();
  const heard: number[] = [];
  log.listen(({ sequence }) => heard.push(sequence));
  const deeds = fc.array(fc.record({ events: fc.nat(3), fails: fc.boolean() }), { maxLength: 20 });
  fc.assert(
    fc.property(deeds, (all) => {
      const before = log.last;
      let expected = 0;
      for (const { events, fails } of all) {
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
    { numRuns: 30 },
  );
  expect(heard).toEqual(range(1, log.last));
  expect(await log.verify()).toMatchObject({ kind: "sound", events: log.last, first: 1, last: log.last });
  expect(await reopen().verify()).toEqual(await log.verify());
});

test("whatever text people and machines bring into an event, what is read back is what was written", async () => {
  const { log } = makeScene();
  const heard: unknown[] = [];
  log.listen((event) => heard.push(event));
  const text = fc.string({ unit: "binary", maxLength: 8 });
  const half = fc.constantFrom("\ud800", "\udc00x", "a\0b", "\u2028", '"\\');
  const any = fc.oneof(text, half);
  fc.assert(
    fc.property(any, any, any, any, (actor, correlation, subject, reason) => {
      log.deed({ actor, correlation }, (_tx, emit) => emit(subject, { type: "hub.stopping", reason }));
    }),
    { numRuns: 200 },
  );
  expect(await log.verify()).toMatchObject({ kind: "sound", events: heard.length });
  const stored = log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 1_000 });
  expect(stored.toReversed()).toEqual(heard);
});

test("the rows of a deed and its events are there together or not at all", () => {
  const { log, db } = makeScene();
  const wish = (name: string, fails: boolean) =>
    log.deed(origin, (tx, emit) => {
      tx.run("INSERT INTO restart VALUES (:name, 1, 0)", { name });
      emit(`service:${name}`, { type: "service.restartAsked", generation: 1 });
      if (fails) throw new Error("undone");
    });
  wish("dev/a", false);
  expect(() => wish("dev/b", true)).toThrow("undone");
  const rows = db.prepare("SELECT service FROM restart", (row) => `service:${row.service}`).all();
  const events = log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 10 });
  expect(events.map(({ subject }) => subject)).toEqual(rows);
});

test("a listener that fails hurts neither the deed nor the others, and the diary says so", () => {
  const diary: TraceEntry[] = [];
  const { log } = makeScene({
    trace: makeTrace(
      () => 0,
      "debug",
      (entry) => diary.push(entry),
    ),
  });
  const heard: string[] = [];
  log.listen(() => {
    throw new Error("deaf");
  });
  const end = log.listen(({ type }) => heard.push(type));
  say(log, 1);
  end();
  say(log, 1);
  expect(heard).toEqual(["machine.removed"]);
  expect(diary.map(({ level, facts }) => [level, facts.reason])).toEqual([
    ["error", "Error: deaf"],
    ["error", "Error: deaf"],
  ]);
});

test("a deed that a listener does is told to everybody after the events before it", async () => {
  const { log } = makeScene();
  const heard: number[] = [];
  log.listen(({ sequence }) => {
    if (sequence === 1) say(log, 2);
  });
  log.listen(({ sequence }) => heard.push(sequence));
  say(log, 3);
  expect(heard).toEqual([1, 2, 3, 4, 5]);
  expect(await log.verify()).toMatchObject({ kind: "sound", last: 5 });
});

test("the list filters by type, noun, subject and time, and pages back", async () => {
  const { log, clock } = makeScene();
  say(log, 3, "user:ada", { type: "user.added", role: "viewer" });
  const laterMs = clock.nowMs() + 1_000;
  await clock.turn(1_000);
  log.deed(origin, (_tx, emit) => {
    emit("machine:a", { type: "machine.removed" });
    emit("machine:b", { type: "machine.added", kind: "server" });
    emit("hub", { type: "hub.stopping", reason: "asked to" });
  });
  expect(listed(log, {})).toEqual([6, 5, 4, 3, 2, 1]);
  expect(listed(log, { type: "machine." })).toEqual([5, 4]);
  expect(listed(log, { type: "machine.added, hub." })).toEqual([6, 5]);
  expect(listed(log, { subject: "machine:" })).toEqual([5, 4]);
  expect(listed(log, { subject: "machine:b" })).toEqual([5]);
  expect(listed(log, { subject: "machine" })).toEqual([]);
  expect(listed(log, { subject: "%:" })).toEqual([]);
  expect(listed(log, { type: "machine.", subject: "machine:a" })).toEqual([4]);
  expect(listed(log, { type: "user.", subject: "machine:" })).toEqual([]);
  expect(listed(log, {}, { before: 3 })).toEqual([2, 1]);
  expect(listed(log, {}, { sinceMs: laterMs })).toEqual([6, 5, 4]);
  expect(listed(log, {}, { sinceMs: laterMs + 1 })).toEqual([]);
  expect(listed(log, { subject: "machine:" }, { sinceMs: laterMs, before: 5, limit: 1 })).toEqual([4]);
});

test("a list by time is right also when the clock was put back", async () => {
  const { log, clock, reopen } = makeScene();
  const nowMs = clock.nowMs();
  const at = (atMs: number) => {
    clock.nowMs = () => atMs;
    say(log, 1);
  };
  for (const shift of [0, 5_000, -3_000, 1_000, 9_000]) at(nowMs + shift);
  expect(listed(reopen(), {}, { sinceMs: nowMs + 1_000 })).toEqual([5, 4, 2]);
});

test("the list finds what a plain filter over all events finds", () => {
  const { log } = makeScene();
  const subjects = ["machine:a", "machine:ab", "machine;", "machine", "user:ä", "user:", "hub"];
  const types = ["machine.removed", "user.disabled", "user.enabled"] as const;
  for (let n = 0; n < 200; n++)
    say(log, 1, subjects[(n * 5) % 7] ?? "", { type: types[(n * n + n) % 3] ?? "machine.removed" });
  const all = log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 1_000 });
  const words = fc.uniqueArray(fc.constantFrom("machine.", "user.", "user.enabled", "hub.started"), { maxLength: 3 });
  const subject = fc.option(fc.constantFrom(...subjects, "nobody:", "machine:", "user:"), { nil: undefined });
  const before = fc.option(fc.integer({ min: 1, max: 250 }), { nil: undefined });
  fc.assert(
    fc.property(words, subject, before, fc.integer({ min: 1, max: 50 }), (typed, about, until, limit) => {
      const expected = all.filter(
        (event) =>
          (typed.length === 0 || typed.some((word) => event.type === word || event.type.startsWith(word))) &&
          (about === undefined ||
            event.subject === about ||
            (about.endsWith(":") && event.subject.startsWith(about))) &&
          (until === undefined || event.sequence < until),
      );
      const found = listed(
        log,
        { type: typed.join(","), ...(about ? { subject: about } : {}) },
        { before: until, limit },
      );
      expect(found).toEqual(expected.slice(0, limit).map(({ sequence }) => sequence));
    }),
  );
});

test("a prefix of very many subjects is found as well, without keeping others from their turn", async () => {
  const { log } = makeScene();
  for (let n = 0; n < 30_000; n += 1_000)
    log.deed(origin, (_tx, emit) => {
      for (let at = n; at < n + 1_000; at++) {
        if (at % 3 === 0) emit("machine:x", { type: "machine.removed" });
        else emit(`token:${at}`, at % 2 === 0 ? { type: "user.disabled" } : { type: "user.enabled" });
      }
    });
  const never = new AbortController().signal;
  let turns = 0;
  let over = false;
  const others = () => {
    turns++;
    if (!over) setImmediate(others);
  };
  setImmediate(others);
  const query = { before: undefined, sinceMs: undefined, ...readFilter({ subject: "token:" }) };
  const all = await log.search({ ...query, limit: 100_000 }, never);
  over = true;
  expect(turns).toBeGreaterThanOrEqual(3);
  expect(all).toHaveLength(20_000);
  const some = [
    { ...query, limit: 7 },
    { ...query, limit: 12_000, before: 25_000 },
    { ...query, ...readFilter({ type: "user.disabled", subject: "token:" }), limit: 50, before: 11 },
    { ...query, limit: 9, sinceMs: all[0]?.atMs },
    { ...query, limit: 9, sinceMs: (all[0]?.atMs ?? 0) + 1 },
  ];
  for (const one of some) expect(await log.search(one, never)).toEqual(log.list(one));
  const gone = log.search({ ...query, limit: 100_000 }, AbortSignal.abort(new Error("gone")));
  await expect(gone).rejects.toThrow("gone");
  const closed = log.search({ ...query, limit: 100_000 }, never);
  log.close();
  await expect(closed).rejects.toThrow("the hub is stopping");
});

test("no filter reads the whole log: each finds its way by an index", () => {
  const { log, db } = makeScene();
  const texts: string[] = [];
  const prepare = db.prepare.bind(db);
  db.prepare = (text, read) => {
    texts.push(text);
    return prepare(text, read);
  };
  listed(log, { type: "machine.,user.added" });
  listed(log, { subject: "machine:" });
  listed(log, { subject: "machine:a" }, { before: 9 });
  listed(log, {}, { sinceMs: 5 });
  listed(log, { type: "user." }, { sinceMs: 5 });
  expect(texts).toHaveLength(5);
  for (const text of texts) {
    const names = [...text.matchAll(/:([a-z]+)/gi)].map(([, name = ""]) => [name, name === "types" ? "[]" : 1]);
    const plan = prepare(`EXPLAIN QUERY PLAN ${text}`, (row) => String(row.detail)).all(Object.fromEntries(names));
    expect(plan.filter((line) => line.startsWith("SEARCH event"))).not.toEqual([]);
    expect(plan.filter((line) => /^SCAN event\b/.test(line))).toEqual([]);
    expect(plan.some((line) => line.includes("event_by_time (at_ms>?)"))).toBe(text.includes(":sinceMs"));
  }
});

test("what is written is clean of secrets, for readers, listeners and the chain alike", async () => {
  const redactor = makeRedactor();
  const { log, db } = makeScene({ redactor });
  redactor.know("DB", "hunter2#hunter2");
  const heard: string[] = [];
  log.listen((event) => void heard.push(JSON.stringify(event)));
  log.note(origin, "service:dev/api", { type: "service.failed", reason: "it says hunter2#hunter2" });
  const list = log.list({
    types: ["service.failed"],
    subject: undefined,
    before: undefined,
    sinceMs: undefined,
    limit: 1,
  });
  expect(list[0]?.data).toEqual({ reason: "it says [secret DB]" });
  const rows = db.prepare("SELECT data FROM event", (row) => String(row.data)).all();
  expect(`${heard}${rows}`).not.toContain("hunter2");
  expect(await log.verify()).toMatchObject({ kind: "sound" });
});
