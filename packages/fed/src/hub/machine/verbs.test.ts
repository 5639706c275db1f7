import type { MachineDocument } from "@fed/lab";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { FedEvent } from "#wire/event.ts";
import { machineShape } from "#wire/machine.ts";
import { answered, facts, makeScene, origin, see, server, silent, workstation } from "./machine.scene.ts";
import { selectMachines } from "./store.ts";
import type { Machines } from "./verbs.ts";

type Deed =
  | { readonly kind: "lab"; readonly machines: Readonly<Record<string, MachineDocument>> }
  | { readonly kind: "look"; readonly name: string; readonly answers: boolean }
  | { readonly kind: "room"; readonly full: boolean }
  | { readonly kind: "restart" };

const names = ["a", "b", "c"] as const;
const document = fc.constantFrom(server("10.0.0.1"), server("10.0.0.2"), workstation("10.0.0.1"));
const deeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("lab" as const), machines: labOf(document) }) },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("look" as const),
        name: fc.constantFrom(...names),
        answers: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("room" as const), full: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  ),
  { maxLength: 60 },
);

function labOf(machine: fc.Arbitrary<MachineDocument>) {
  return fc
    .record({ a: machine, b: machine, c: machine }, { requiredKeys: [] })
    .map((all): Readonly<Record<string, MachineDocument>> => ({ ...all }));
}

/** What the events say of each machine; throws when they contradict themselves. */
function foldEvents(told: readonly FedEvent[]): Map<string, string> {
  const states = new Map<string, string>();
  for (const { subject, type, data } of told) {
    const before = states.get(subject);
    if (type === "machine.added") {
      expect(before, `${subject} was added twice`).toBeUndefined();
      states.set(subject, "unknown");
    } else if (type === "machine.removed") {
      expect(before, `${subject} was removed, and never there`).toBeDefined();
      states.delete(subject);
    } else if (type === "machine.changed") {
      expect(data.from, `${subject} changes from where it was`).toBe(before);
      expect(data.to, `${subject} changes`).not.toBe(data.from);
      states.set(subject, data.to);
    }
  }
  return states;
}

const statesOf = (all: readonly { readonly name: string; readonly state: string }[]) =>
  new Map(all.map(({ name, state }) => [`machine:${name}`, state]));

test("whatever happens, the events tell each change once, and rows, list and events agree", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (all) => {
      using scene = makeScene();
      let { machines } = scene;
      let lab: Readonly<Record<string, MachineDocument>> = {};
      machines.update({ machines: lab }, origin);
      for (const deed of all) {
        await scene.clock.turn(10_000);
        const toldBefore = scene.told.length;
        if (deed.kind === "room") scene.room.full = deed.full;
        else if (deed.kind === "look") {
          if (machines.names().includes(deed.name)) see(machines, deed.name, [deed.answers ? answered : silent]);
          expect(scene.told.length - toldBefore, "a look tells one thing at most").toBeLessThanOrEqual(1);
        } else if (!scene.room.full) {
          // A hub starts, and takes an edit, only with room.
          if (deed.kind === "restart") machines = scene.reopen();
          else lab = deed.machines;
          machines.update({ machines: lab }, origin);
        }
        const told = foldEvents(scene.told);
        expect(statesOf(selectMachines(scene.db)), "rows").toEqual(told);
        if (!scene.room.full) expectTold(machines, scene.told);
        expect([...machines.names()].sort()).toEqual(Object.keys(lab).sort());
      }
    }),
    { numRuns: 60 },
  );
});

/** With room, what is shown has been told, at the next look at the latest. */
function expectTold(machines: Machines, told: readonly FedEvent[]): void {
  for (const { name, state } of machines.list()) {
    if (foldEvents(told).get(`machine:${name}`) === state) continue;
    see(machines, name, [state === "online" ? answered : silent]);
    expect(foldEvents(told).get(`machine:${name}`)).toBe(machines.get(name).state);
  }
}

test("a machine comes, is seen, is missed, and goes: an event each", () => {
  const { machines, news } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  expect(news()).toEqual([["machine:node5", "machine.added", { kind: "server" }]]);
  for (const look of [answered, answered, silent, silent, answered]) see(machines, "node5", [look]);
  expect(news()).toEqual([
    ["machine:node5", "machine.changed", { from: "unknown", to: "online", reason: "it answers" }],
  ]);
  see(machines, "node5", [silent, silent, silent, silent]);
  expect(news()).toEqual([
    ["machine:node5", "machine.changed", { from: "online", to: "offline", reason: "no answer within 3 s" }],
  ]);
  machines.update({ machines: {} }, origin);
  expect(news()).toEqual([["machine:node5", "machine.removed", {}]]);
  expect(machines.list()).toEqual([]);
});

test("what is seen at two looks is tied together by nothing", () => {
  const { machines, told } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  see(machines, "node5", [answered, silent, silent, silent]);
  const correlations = told.flatMap(({ type, correlation }) => (type === "machine.changed" ? [correlation] : []));
  expect(correlations).toHaveLength(2);
  expect(new Set(correlations).size).toBe(2);
  for (const one of correlations) expect(one).toMatch(/^cor_\w{18}$/);
});

test("a workstation that is missed is away", () => {
  const { machines, news } = makeScene();
  machines.update({ machines: { mbp: workstation() } }, origin);
  news();
  see(machines, "mbp", [silent, silent, silent]);
  expect(news()).toMatchObject([["machine:mbp", "machine.changed", { from: "unknown", to: "away" }]]);
});

test("an edit that leaves a machine where it is changes nothing of it; one that moves it begins anew, and says so", () => {
  const { machines, news } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  see(machines, "node5", [answered], facts);
  news();
  machines.update({ machines: { node5: { ...server(), labels: { gpu: "rtx3090" } } } }, origin);
  expect(news()).toEqual([]);
  expect(machines.get("node5")).toMatchObject({ state: "online", labels: { gpu: "rtx3090" }, facts });
  machines.update({ machines: { node5: server("192.168.1.7") } }, origin);
  expect(news()).toEqual([
    ["machine:node5", "machine.changed", { from: "online", to: "unknown", reason: "not looked at yet" }],
  ]);
  expect(machines.get("node5")).not.toHaveProperty("facts");
});

test("what was seen outlives the hub, and is not told again", async () => {
  const { machines, reopen, news, clock } = makeScene();
  machines.update({ machines: { node5: server(), mbp: workstation() } }, origin);
  see(machines, "node5", [answered], facts);
  const seenMs = clock.nowMs();
  news();
  await clock.turn(3_600_000);
  const next = reopen();
  expect(next.list()).toEqual([]);
  next.update({ machines: { node5: server() } }, origin);
  expect(news()).toEqual([["machine:mbp", "machine.removed", {}]]);
  expect(next.get("node5")).toMatchObject({ state: "online", sinceMs: seenMs, seenMs, facts });
});

test("looks that say nothing new are written once a minute, and nobody is told of a change", async () => {
  const { machines, db, clock, changes } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  see(machines, "node5", [answered], facts);
  const [written, before] = [clock.nowMs(), changes()];
  for (let look = 1; look <= 6; look++) {
    await clock.turn(10_000);
    // A start that is told to a second is no news.
    see(machines, "node5", [answered], { ...facts, bootedMs: facts.bootedMs + (look % 2) * 1_000 });
    const [row] = selectMachines(db);
    expect(row?.seenMs).toBe(look < 6 ? written : written + 60_000);
    expect(row?.facts).toEqual(facts);
  }
  expect(changes()).toBe(before);
  expect(machines.get("node5").seenMs).toBe(clock.nowMs());
});

test("while the disk is full what is seen is shown, and told once there is room", () => {
  const { machines, room, news } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  see(machines, "node5", [answered]);
  news();
  room.full = true;
  see(machines, "node5", [silent, silent, silent, silent]);
  expect(machines.get("node5").state).toBe("offline");
  expect(news()).toEqual([]);
  room.full = false;
  see(machines, "node5", [silent]);
  expect(news()).toMatchObject([["machine:node5", "machine.changed", { from: "online", to: "offline" }]]);
});

test("what was seen of a machine that left, or moved, leaves nothing behind", () => {
  const { machines, news } = makeScene();
  for (const next of [{}, { node5: server("192.168.1.7") }, { node5: server("local") }]) {
    machines.update({ machines: { node5: server() } }, origin);
    see(machines, "node5", [answered]);
    machines.update({ machines: next }, origin);
    news();
    if (!("node5" in next)) see(machines, "node5", [answered]);
    else expect(machines.get("node5").state).toBe("unknown");
    expect(news()).toEqual([]);
  }
  expect(machines.fleet.get("node5")).toMatchObject({ mode: "local", intervalMs: 10_000 });
  expect(machines.fleet.get("node6")).toBeUndefined();
});

test("a name the fleet does not have is missing, with the one that was meant", () => {
  const { machines } = makeScene();
  expect(() => machines.get("node5")).toThrow(expect.objectContaining({ code: "missing", hint: "It has: none." }));
  machines.update({ machines: { node5: server() } }, origin);
  expect(() => machines.get("nod5")).toThrow(expect.objectContaining({ hint: "Did you mean node5?" }));
  expect(() => machines.get("toString")).toThrow(expect.objectContaining({ code: "missing" }));
});

test("what is shown has the shape of the wire, with no field that is not there", () => {
  const { machines } = makeScene();
  machines.update({ machines: { here: server("local"), mbp: { kind: "workstation", tailscale: "mbp" } } }, origin);
  see(machines, "here", [answered], facts);
  for (const machine of machines.list()) expect(machineShape.strict().parse(machine)).toEqual(machine);
  expect(machines.get("here")).toMatchObject({ latencyMs: 3, services: ["dev/api"] });
  expect(Object.keys(machines.get("mbp")).sort()).toEqual([
    ...["detail", "intervalMs", "kind", "labels", "mode", "name", "origin", "problems"],
    ...["services", "sinceMs", "state", "tailscale", "tally"],
  ]);
});
