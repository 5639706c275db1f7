import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import { migrate } from "#disk/migrate.ts";
import { openDatabase, type Tx } from "#disk/sqlite.ts";
import { firstLight } from "#hub/db/migrations/0001-first-light.ts";
import { usersAndChain } from "#hub/db/migrations/0002-users-and-chain.ts";
import { hashOf, type Link } from "./chain.ts";
import { dropGuards, listed, makeScene, origin, say } from "./event.scene.ts";
import { insertEvent, selectAfter, selectBase } from "./store.ts";
import { openEventLog } from "./verbs.ts";

const retention = { maxAgeMs: 1e15, maxEvents: 20, maxBytes: 1e15 };

/** What somebody does to the file who wants to hide or to forge something; answers the event that must be named. */
type Tampering = (tx: Tx, links: readonly Link[], at: number) => number | undefined;

const change =
  (column: string, value: string): Tampering =>
  (tx, links, at) => {
    tx.run(`UPDATE event SET ${column} = ${value} WHERE sequence = :at`, { at: links[at]?.sequence ?? 0 });
    return links[at]?.sequence;
  };

const tamperings: Readonly<Record<string, Tampering>> = {
  "changes the time": change("at_ms", "at_ms + 1"),
  "changes the type": change("type", "type || '.'"),
  "changes the actor": change("actor", "'somebody'"),
  "changes the subject": change("subject", "subject || ' '"),
  "changes the correlation": change("correlation", "''"),
  "changes the data": change("data", `'{"reason":"nothing"}'`),
  "changes spaces of the data": change("data", "data || ' '"),
  "changes the hash": change("hash", "upper(hash) || '0'"),
  "takes one out"(tx, links, at) {
    tx.run("DELETE FROM event WHERE sequence = :at", { at: links[at]?.sequence ?? 0 });
    return links[at]?.sequence;
  },
  "takes the end off"(tx, links, at) {
    tx.run("DELETE FROM event WHERE sequence >= :at", { at: links[at]?.sequence ?? 0 });
    return links[at]?.sequence;
  },
  "takes the beginning off, and says that it was so"(tx, links, at) {
    const { sequence = 0, hash = "" } = links[at] ?? {};
    tx.run("DELETE FROM event WHERE sequence <= :sequence", { sequence });
    tx.run("UPDATE event_base SET sequence = :sequence, hash = :hash", { sequence, hash });
    return sequence + 1;
  },
  "exchanges two"(tx, links, at) {
    const [one, other] = [links[at], links[at + 1]];
    if (one === undefined || other === undefined) return undefined;
    tx.run("UPDATE event SET sequence = -1 WHERE sequence = :a", { a: one.sequence });
    tx.run("UPDATE event SET sequence = :a WHERE sequence = :b", { a: one.sequence, b: other.sequence });
    tx.run("UPDATE event SET sequence = :b WHERE sequence = -1", { b: other.sequence });
    return one.sequence;
  },
  "puts one at the end, with a right hash"(tx, links) {
    const last = links.at(-1);
    if (last === undefined) return undefined;
    const forged = { ...last, sequence: last.sequence + 1, actor: "somebody" };
    insertEvent(tx, { ...forged, hash: hashOf(last.hash, forged) });
    return forged.sequence;
  },
  "puts one before the beginning"(tx, links) {
    const first = links[0];
    if (first === undefined) return undefined;
    insertEvent(tx, { ...first, sequence: first.sequence - 1 });
    return first.sequence - 1;
  },
  "changes one and writes all that follow anew"(tx, links, at) {
    let { hash } = links[at - 1] ?? selectBase(tx);
    for (const link of links.slice(at)) {
      const forged = { ...link, actor: "somebody" };
      hash = hashOf(hash, forged);
      tx.run("UPDATE event SET actor = 'somebody', hash = :hash WHERE sequence = :at", { hash, at: link.sequence });
    }
    return links.at(-1)?.sequence;
  },
};

const histories = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("deed"), events: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("undone"), events: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("trim"), events: fc.constant(0) }) },
  ),
  { minLength: 1, maxLength: 14 },
);

function live({ log }: ReturnType<typeof makeScene>, history: readonly { kind: string; events: number }[]) {
  for (const { kind, events } of history) {
    if (kind === "deed") say(log, events, "hub", { type: "hub.stopping", reason: "asked to" });
    else if (kind === "trim") log.trim(origin);
    else
      expect(() =>
        log.deed(origin, (_tx, emit) => {
          for (let n = 0; n < events; n++) emit("hub", { type: "hub.stopping", reason: "undone" });
          throw new Error("undone");
        }),
      ).toThrow("undone");
  }
}

test("whatever the hub did, with deeds undone and old events dropped, the chain is sound, now and after a start", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const scene = makeScene({ retention });
      live(scene, history);
      const verdict = await scene.log.verify();
      expect(verdict).toMatchObject({ kind: "sound", last: scene.log.last });
      expect(await scene.reopen().verify()).toEqual(verdict);
    }),
    { numRuns: 25 },
  );
});

test.for(Object.entries(tamperings))("who %s is found out, and the event is named", async ([, tamper]) => {
  await fc.assert(
    fc.asyncProperty(histories, fc.nat(), async (history, anywhere) => {
      const scene = makeScene({ retention });
      say(scene.log, 1);
      live(scene, history);
      dropGuards(scene);
      const links = selectAfter(scene.db, 0, 1_000);
      const named = scene.db.tx((tx) => tamper(tx, links, anywhere % links.length));
      fc.pre(named !== undefined);
      const verdict = await scene.log.verify();
      expect(verdict).toMatchObject({ kind: "broken", sequence: named });
      expect(verdict.kind === "broken" && verdict.reason).toMatch(/^(event|events|the log) .*\d/);
    }),
    { numRuns: 12 },
  );
});

test("what is wrong is said in plain words", async () => {
  const scene = makeScene();
  const { log, db } = scene;
  say(log, 5_000);
  dropGuards(scene);
  const reasonAfter = async (text: string) => {
    db.tx((tx) => tx.run(text));
    const verdict = await log.verify();
    return verdict.kind === "broken" ? verdict.reason : "";
  };
  expect(await reasonAfter("DELETE FROM event WHERE sequence > 4990")).toBe(
    "events 4991 to 5000 are missing at the end of the log",
  );
  expect(await reasonAfter("UPDATE event SET actor = 'nobody' WHERE sequence = 4321")).toBe(
    "event 4321 is not what was written: its hash does not follow from its content and the event before",
  );
  expect(await reasonAfter("DELETE FROM event WHERE sequence BETWEEN 17 AND 19")).toBe("events 17 to 19 are missing");
  expect(await reasonAfter("DELETE FROM event WHERE sequence = 1")).toBe("event 1 is missing");
});

test("events that are written, and dropped, while the chain is walked hurt nothing", async () => {
  const { log } = makeScene({ retention: { ...retention, maxEvents: 3_000 } });
  say(log, 9_000);
  const walked = log.verify();
  expect(log.verify()).toBe(walked);
  await new Promise((resolve) => setImmediate(resolve));
  say(log, 10);
  log.trim(origin);
  say(log, 10);
  expect(await walked).toMatchObject({ kind: "sound", last: 9_021 });
});

test("a walk under way ends when the log is closed", async () => {
  const { log } = makeScene();
  say(log, 5_000);
  const walked = log.verify();
  log.close();
  await expect(walked).rejects.toMatchObject({ code: "unreachable", message: "the hub is stopping" });
});

test.each([
  ["UPDATE event SET actor = 'nobody' WHERE sequence = 5", "an event stays as it was written"],
  ["UPDATE event SET hash = '' WHERE sequence = 5", "an event stays as it was written"],
  ["UPDATE event SET sequence = 99 WHERE sequence = 9", "an event stays as it was written"],
  ["DELETE FROM event WHERE sequence = 5", "an event is kept until retention has moved the base of the log past it"],
  ["DELETE FROM event", "an event is kept until retention has moved the base of the log past it"],
  ["INSERT OR REPLACE INTO event SELECT * FROM event WHERE sequence = 9", "an event comes after all others"],
  ["INSERT INTO event SELECT 1, 0, type, '', '', '', '{}', '' FROM event LIMIT 1", "an event comes after all others"],
  ["UPDATE event_base SET sequence = 1", "the base of the log only moves on"],
  ["DELETE FROM event_base", "the base of the log stays"],
])("the table itself refuses %s", async (text, reason) => {
  const { log, db } = makeScene({ retention: { ...retention, maxEvents: 8 } });
  say(log, 9);
  log.trim(origin);
  const before = await log.verify();
  expect(before).toMatchObject({ kind: "sound", first: 3, last: 10 });
  expect(() => db.tx((tx) => tx.run(text))).toThrow(reason);
  expect(await log.verify()).toEqual(before);
});

test("an empty log is sound", async () => {
  expect(await makeScene().log.verify()).toEqual({
    ...{ kind: "sound", events: 0, first: 1, last: 0, base: "", head: "" },
  });
});

test("the events of a database from before the chain are chained by its migration", async () => {
  const { folder } = makeScene();
  const path = `${folder}/before.db`;
  const before = openDatabase(path);
  migrate(before, [firstLight]);
  before.close();
  const raw = new DatabaseSync(path);
  for (let n = 10; n < 20; n++)
    raw.exec(
      `INSERT INTO event VALUES (${n}, 1700000000000, 'hub', 'lab', 'c', '{"type":"lab.accepted","name":"ä\u{1f600}","hash":"h","file":"f"}')`,
    );
  raw.close();
  const db = openDatabase(path);
  onTestFinished(() => db.close());
  migrate(db, [firstLight, usersAndChain]);
  const log = openEventLog({ db, clock: handClock(), trace: silentTrace });
  expect(await log.verify()).toMatchObject({ kind: "sound", first: 10, last: 19, events: 10 });
  say(log, 1);
  expect(await log.verify()).toMatchObject({ kind: "sound", first: 10, last: 20, events: 11 });
  expect(listed(log, { type: "lab.accepted" })).toHaveLength(10);
  dropGuards({ db });
  db.tx((tx) => tx.run("DELETE FROM event WHERE sequence = 10"));
  expect(await log.verify()).toMatchObject({ kind: "broken", sequence: 10 });
});
