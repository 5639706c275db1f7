import { expect, test } from "vitest";
import { api } from "#wire/api.ts";
import type { CallContext, Caller } from "#wire/handler.ts";
import { makeFleetScene } from "./fleet.scene.ts";
import { machineHandlers } from "./http.ts";
import { facts, going, origin, server } from "./machine.scene.ts";

const context: CallContext = {
  ...{ signal: going(), correlation: "cor_1", caller: { kind: "local" }, actor: "local" },
  ...{ address: "127.0.0.1", origin: "http://127.0.0.1", agent: "", cookie: { set() {}, clear() {} }, tell() {} },
};

function makeDoor() {
  const scene = makeFleetScene();
  scene.machines.update({ machines: { node5: server(), node6: server("10.0.0.6") } }, origin);
  scene.news();
  return { ...scene, door: machineHandlers({ machines: scene.machines, live: scene.live }) };
}

test("all of them, one of them, and a look: answered as promised", async () => {
  const { door, news, pass } = makeDoor();
  const { machines } = api.machines.output.parse(await door.machines({}, context));
  expect(machines.map(({ name, state }) => [name, state])).toEqual([
    ["node5", "unknown"],
    ["node6", "unknown"],
  ]);
  const looking = door.lookAtMachine({ name: "node5" }, context);
  await pass(1);
  expect(api.lookAtMachine.output.parse(await looking)).toMatchObject({ name: "node5", state: "online", facts });
  expect(api.machine.output.parse(await door.machine({ name: "node5" }, context))).toMatchObject({ state: "online" });
  expect(news().map(([subject]) => subject)).toEqual(["machine:node5"]);
});

test("a machine that is not there is missing, and not looked at or watched", async () => {
  const { door, news, live } = makeDoor();
  expect(() => door.machine({ name: "nod5" }, context)).toThrow("the fleet has no machine nod5");
  await expect(door.lookAtMachine({ name: "nod5" }, context)).rejects.toMatchObject({
    ...{ code: "missing", hint: "Did you mean node5?" },
  });
  expect(() => door.watchMachines({ machine: "nod5" }, context)).toThrow("the fleet has no machine nod5");
  expect(live.isWatched("nod5")).toBe(false);
  expect(news()).toEqual([]);
});

test("what processes were begun with is told to who operates machines, and to nobody else", async () => {
  const { door, machines } = makeDoor();
  const process = { pid: 1, user: "ada", name: "db", memoryBytes: 1, threads: 1, startedMs: 1 };
  machines.saw("node5", {
    look: { kind: "answered", tookMs: 1, detail: "" },
    reading: { processes: [{ ...process, command: "db --password hunter2" }] },
  });
  const seenBy = async (caller: Caller) =>
    api.machine.output.parse(await door.machine({ name: "node5" }, { ...context, caller })).processes;
  const person = (role: "viewer" | "operator" | "admin") =>
    seenBy({ kind: "user", userId: "u", name: "ada", role, session: { id: "s", kind: "browser" } });
  expect(await person("viewer")).toEqual([process]);
  expect(JSON.stringify(await person("operator"))).toContain("hunter2");
  expect(JSON.stringify(await seenBy({ kind: "local" }))).toContain("hunter2");
});

test("one that is added is asked at once, and told with who did it; one of the lab's name is refused", async () => {
  const { door, told, pass, machines } = makeDoor();
  const added = await door.addMachine(
    { name: "node7", kind: "server", address: "10.0.0.7", port: 2222, user: "ada" },
    { ...context, actor: "user:ada" },
  );
  expect(api.addMachine.output.parse(added)).toMatchObject({ origin: "added", mode: "ssh", port: 2222, user: "ada" });
  await pass(2_000);
  expect(machines.get("node7").state).toBe("online");
  const about = told.filter(({ subject }) => subject === "machine:node7");
  expect(about.map(({ type, actor }) => [type, actor])).toEqual([
    ["machine.added", "user:ada"],
    ["machine.enrolled", "user:ada"],
    ["machine.changed", "hub"],
  ]);
  for (const [name, hint] of [
    ["node5", "It stands in the lab file"],
    ["node7", "fed machine remove node7"],
  ] as const) {
    expect(() => door.addMachine({ name, kind: "server", address: "x" }, context)).toThrow(
      expect.objectContaining({ code: "conflict", hint: expect.stringContaining(hint) }),
    );
  }
});

test("maintenance begins and ends by hand, or when its time is over: an event each", async () => {
  const { door, news, clock, machines } = makeDoor();
  const untilMs = clock.nowMs() + 60_000;
  const begun = await door.maintainMachine({ name: "node5", on: true, reason: "new disk", untilMs }, context);
  expect(begun.maintenance).toEqual({ sinceMs: clock.nowMs(), untilMs, reason: "new disk" });
  expect(() =>
    door.maintainMachine({ name: "node5", on: true, reason: "", untilMs: clock.nowMs() - 1 }, context),
  ).toThrow(expect.objectContaining({ code: "invalid" }));
  machines.endMaintenance();
  await clock.turn(60_000);
  machines.endMaintenance();
  machines.endMaintenance();
  await door.maintainMachine({ name: "node5", on: true, reason: "", untilMs: undefined }, context);
  await door.maintainMachine({ name: "node5", on: false, reason: "done", untilMs: undefined }, context);
  await door.maintainMachine({ name: "node5", on: false, reason: "again", untilMs: undefined }, context);
  expect(news().filter(([, type]) => type.startsWith("machine.maintenance"))).toEqual([
    ["machine:node5", "machine.maintenanceBegan", { reason: "new disk", untilMs }],
    ["machine:node5", "machine.maintenanceEnded", { reason: "its time was over" }],
    ["machine:node5", "machine.maintenanceBegan", { reason: "" }],
    ["machine:node5", "machine.maintenanceEnded", { reason: "done" }],
  ]);
});
