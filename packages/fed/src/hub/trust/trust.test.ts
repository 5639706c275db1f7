import { expect, onTestFinished, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { type EventLog, openEventLog } from "#hub/event/verbs.ts";
import type { HostKey } from "#port/shell.ts";
import type { FedEvent } from "#wire/event.ts";
import { openTrust } from "./verbs.ts";

const origin = { actor: "user:ada", correlation: "cor_1" };
const ed = (letter: string): HostKey => ({ type: "ssh-ed25519", fingerprint: `SHA256:${letter}` });
const rsa = (letter: string): HostKey => ({ type: "ssh-rsa", fingerprint: `SHA256:rsa-${letter}` });
const address = "192.168.1.5:22";

function makeScene() {
  const control = openTestControl();
  const clock = handClock();
  const events = openEventLog({ db: control.db, clock, trace: silentTrace });
  const told: FedEvent[] = [];
  events.listen((event) => void told.push(event));
  const room = { full: false };
  const log: EventLog = {
    ...events,
    deed(...args) {
      if (room.full) throw new Fault("unreachable", "the disk is full");
      return events.deed(...args);
    },
  };
  let changes = 0;
  const open = () => openTrust({ db: control.db, events: log, clock, onChange: () => changes++ });
  let trust = open();
  onTestFinished(() => {
    trust.close();
    events.close();
    control[Symbol.dispose]();
  });
  return {
    ...{ clock, room, events, changes: () => changes },
    get trust() {
      return trust;
    },
    restart() {
      trust.close();
      trust = open();
    },
    shows: (key: HostKey, machine = "node5") => trust.checkHostKey(machine, address, key),
    news: () => told.splice(0).map(({ subject, type, data }) => [subject, type, data] as const),
  };
}

const pinned = (key: HostKey, first: boolean) =>
  ["machine:node5", "machine.keyTrusted", { keyType: key.type, fingerprint: key.fingerprint, first }] as const;
const changed = (key: HostKey, known: HostKey) =>
  [
    "machine:node5",
    "machine.keyChanged",
    { keyType: key.type, fingerprint: key.fingerprint, known: known.fingerprint },
  ] as const;

test("the first key is pinned, and known over restarts", () => {
  const scene = makeScene();
  expect(scene.shows(ed("a"))).toEqual({ kind: "trusted" });
  expect(scene.shows(ed("a"))).toEqual({ kind: "trusted" });
  scene.restart();
  expect(scene.shows(ed("a"))).toEqual({ kind: "trusted" });
  expect(scene.news()).toEqual([pinned(ed("a"), true)]);
  expect(scene.trust.offeredBy("node5")).toBeUndefined();
});

test("another key is refused, told once however often it is shown, and shown until the known one is back", async () => {
  const scene = makeScene();
  scene.shows(ed("a"));
  scene.news();
  await scene.clock.turn(5_000);
  const sinceMs = scene.clock.nowMs();
  const refused = { kind: "changed", known: [ed("a")] };
  expect(scene.shows(ed("b"))).toEqual(refused);
  await scene.clock.turn(5_000);
  expect(scene.shows(ed("b"))).toEqual(refused);
  scene.restart();
  expect(scene.shows(ed("b"))).toEqual(refused);
  expect(scene.news()).toEqual([changed(ed("b"), ed("a"))]);
  expect(scene.trust.offeredBy("node5")).toEqual({ known: [ed("a")], offered: ed("b"), sinceMs });
  expect(scene.shows(ed("a"))).toEqual({ kind: "trusted" });
  expect(scene.trust.offeredBy("node5")).toBeUndefined();
  // Two machines at one address: no event for each turn.
  for (let turn = 0; turn < 10; turn++) scene.shows(ed(turn % 2 === 0 ? "b" : "a"));
  expect(scene.news()).toEqual([]);
});

test("only the key that was compared is accepted; from then on the old one is a stranger", () => {
  const scene = makeScene();
  expect(() => scene.trust.accept(origin, "node5", "SHA256:b")).toThrow("shows no other key");
  scene.shows(ed("a"));
  expect(() => scene.trust.accept(origin, "node5", "SHA256:b")).toThrow("shows no other key");
  scene.shows(ed("b"));
  scene.shows(ed("c"));
  scene.news();
  expect(() => scene.trust.accept(origin, "node5", "SHA256:b")).toThrow("another key now than the one you compared");
  expect(scene.shows(ed("c")).kind).toBe("changed");
  scene.trust.accept(origin, "node5", "SHA256:c");
  expect(scene.shows(ed("c"))).toEqual({ kind: "trusted" });
  scene.restart();
  expect(scene.shows(ed("c"))).toEqual({ kind: "trusted" });
  expect(scene.shows(ed("a"))).toEqual({ kind: "changed", known: [ed("c")] });
  expect(scene.news()).toEqual([pinned(ed("c"), false), changed(ed("a"), ed("c"))]);
});

test("the keys that are known are told, for a machine with several to be asked for one of them", () => {
  const scene = makeScene();
  expect(scene.trust.knownHostKeys("node5")).toEqual([]);
  scene.shows(ed("a"));
  expect(scene.trust.knownHostKeys("node5")).toEqual([ed("a")]);
  scene.news();
  // It was asked for the known one, and has it no more.
  expect(scene.shows(rsa("b"))).toEqual({ kind: "changed", known: [ed("a")] });
  expect(scene.trust.knownHostKeys("node5")).toEqual([ed("a")]);
  expect(scene.news()).toEqual([changed(rsa("b"), ed("a"))]);
  scene.trust.accept(origin, "node5", rsa("b").fingerprint);
  expect(scene.trust.knownHostKeys("node5")).toEqual([rsa("b")]);
  expect(scene.shows(rsa("b"))).toEqual({ kind: "trusted" });
  expect(scene.shows(ed("a")).kind).toBe("changed");
});

test("machines are known apart, and one that leaves the fleet is forgotten", () => {
  const scene = makeScene();
  scene.shows(ed("a"));
  scene.shows(ed("a"), "node6");
  scene.shows(ed("b"));
  scene.events.note(origin, "machine:node5", { type: "machine.removed" });
  expect(scene.trust.offeredBy("node5")).toBeUndefined();
  scene.restart();
  expect(scene.shows(ed("c"))).toEqual({ kind: "trusted" });
  expect(scene.shows(ed("c"), "node6").kind).toBe("changed");
});

test("who shows a new key each time fills no log", () => {
  const scene = makeScene();
  scene.shows(ed("a"));
  for (let i = 0; i < 1_000; i++) expect(scene.shows(ed(`x${i}`)).kind).toBe("changed");
  expect(scene.news().length).toBeLessThan(20);
  expect(scene.trust.offeredBy("node5")?.offered).toEqual(ed("x999"));
});

test("a full disk keeps nobody out, and lets nobody in; what happened is written once there is room", () => {
  const scene = makeScene();
  scene.room.full = true;
  expect(scene.shows(ed("a"))).toEqual({ kind: "trusted" });
  expect(scene.shows(ed("b"))).toEqual({ kind: "changed", known: [ed("a")] });
  expect(() => scene.trust.accept(origin, "node5", "SHA256:b")).toThrow("disk is full");
  expect(scene.shows(ed("b")).kind).toBe("changed");
  expect(scene.news()).toEqual([]);
  scene.room.full = false;
  scene.shows(ed("b"));
  scene.shows(ed("a"));
  expect(scene.news()).toEqual([changed(ed("b"), ed("a")), pinned(ed("a"), true)]);
  scene.restart();
  expect(scene.shows(ed("b")).kind).toBe("changed");
});

test("what a machine says beside its key is not kept", () => {
  const scene = makeScene();
  const key = { ...ed("a"), more: "x".repeat(1_000) };
  scene.shows(key);
  expect(scene.news()).toEqual([pinned(ed("a"), true)]);
});
