import { expect, test } from "vitest";
import { api } from "#wire/api.ts";
import type { CallContext } from "#wire/handler.ts";
import { machineHandlers } from "./http.ts";
import { makeLookNow } from "./loop.ts";
import { answered, facts, going, makeScene, origin, saying, server } from "./machine.scene.ts";

const context: CallContext = {
  ...{ signal: going(), correlation: "cor_1", caller: { kind: "local" }, actor: "local" },
  ...{ address: "127.0.0.1", agent: "", origin: "http://hub", cookie: { set() {}, clear() {} }, tell() {} },
};

function makeDoor() {
  const { machines, news } = makeScene();
  machines.update({ machines: { here: server("local"), node5: server() } }, origin);
  news();
  return { news, door: machineHandlers({ machines, lookNow: makeLookNow(machines, saying(answered, facts)) }) };
}

test("all of them, one of them, and a look: answered as promised", async () => {
  const { door, news } = makeDoor();
  const { machines } = api.machines.output.parse(await door.machines({}, context));
  expect(machines.map(({ name, state }) => [name, state])).toEqual([
    ["here", "unknown"],
    ["node5", "unknown"],
  ]);
  const seen = api.lookAtMachine.output.parse(await door.lookAtMachine({ name: "node5" }, context));
  expect(seen).toMatchObject({ name: "node5", state: "online", facts });
  expect(api.machine.output.parse(await door.machine({ name: "node5" }, context))).toEqual(seen);
  expect(news()).toHaveLength(1);
});

test("a machine that is not there is missing, and not looked at", async () => {
  const { door, news } = makeDoor();
  expect(() => door.machine({ name: "nod5" }, context)).toThrow("the fleet has no machine nod5");
  await expect(door.lookAtMachine({ name: "nod5" }, context)).rejects.toMatchObject({
    ...{ code: "missing", hint: "Did you mean node5?" },
  });
  expect(news()).toEqual([]);
});
