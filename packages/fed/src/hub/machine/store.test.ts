import fc from "fast-check";
import { expect, test } from "vitest";
import { openTestControl } from "#hub/db/control.fake.ts";
import { machineStates } from "#wire/machine.ts";
import { facts } from "./machine.scene.ts";
import type { Added } from "./member.ts";
import {
  deleteAdded,
  deleteMachine,
  type MachineRow,
  saveAdded,
  saveMachine,
  selectAdded,
  selectMachines,
} from "./store.ts";

const whenMs = fc.integer({ min: 0, max: 2 ** 45 });
const rows: fc.Arbitrary<MachineRow> = fc.record({
  name: fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/),
  kind: fc.constantFrom("server" as const, "workstation" as const),
  state: fc.constantFrom(...machineStates),
  sinceMs: whenMs,
  seenMs: fc.option(whenMs, { nil: undefined }),
  facts: fc.option(fc.record({ ...constantsOf(facts), hostname: fc.string(), bootedMs: whenMs }), { nil: undefined }),
  maintenance: fc.option(
    fc
      .record({ sinceMs: whenMs, untilMs: whenMs, reason: fc.string() }, { requiredKeys: ["sinceMs", "reason"] })
      .map((one) => ({ ...one })),
    { nil: undefined },
  ),
});

function constantsOf<T extends object>(value: T) {
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fc.constant(one)])) as {
    [K in keyof T]: fc.Arbitrary<T[K]>;
  };
}

test("what is saved is read back, by name; saved again it is replaced, deleted it is gone", () => {
  using control = openTestControl();
  fc.assert(
    fc.property(fc.uniqueArray(rows, { selector: ({ name }) => name }), fc.array(rows), (first, then) => {
      const wanted = new Map([...first, ...then].map((row) => [row.name, row]));
      control.db.tx((tx) => {
        for (const row of [...first, ...then]) saveMachine(tx, row);
      });
      const names = [...wanted.keys()].sort();
      expect(selectMachines(control.db)).toEqual(names.map((name) => wanted.get(name)));
      control.db.tx((tx) => {
        for (const name of names) deleteMachine(tx, name);
        deleteMachine(tx, "nobody");
      });
      expect(selectMachines(control.db)).toEqual([]);
    }),
  );
});

test("facts that another version wrote in another shape are no facts", () => {
  using control = openTestControl();
  control.db.tx((tx) => {
    saveMachine(tx, {
      name: "a",
      kind: "server",
      state: "online",
      sinceMs: 1,
      seenMs: 1,
      facts,
      maintenance: undefined,
    });
    tx.run("UPDATE machine SET facts = :facts", { facts: '{"hostname":"a","cores":"four"}' });
  });
  expect(selectMachines(control.db)).toEqual([
    { name: "a", kind: "server", state: "online", sinceMs: 1, seenMs: 1, facts: undefined, maintenance: undefined },
  ]);
});

test("those that were added are read back by name; a document that this version cannot read is none", () => {
  using control = openTestControl();
  const node6: Added = { mode: "ssh", document: { kind: "server", address: "10.0.0.6", port: 2222, user: "ada" } };
  const mbp: Added = { mode: "push", document: { kind: "workstation", address: "" } };
  control.db.tx((tx) => {
    saveAdded(tx, "node6", { ...node6, mode: "push" }, { atMs: 1, actor: "local" });
    saveAdded(tx, "node6", node6, { atMs: 2, actor: "user:ada" });
    saveAdded(tx, "mbp", mbp, { atMs: 3, actor: "local" });
    saveAdded(tx, "odd", mbp, { atMs: 3, actor: "local" });
    tx.run("UPDATE machine_added SET document = :odd WHERE name = 'odd'", { odd: '{"kind":"toaster"}' });
  });
  expect([...selectAdded(control.db)]).toEqual([
    ["mbp", mbp],
    ["node6", node6],
  ]);
  control.db.tx((tx) => deleteAdded(tx, "node6"));
  expect([...selectAdded(control.db).keys()]).toEqual(["mbp"]);
});
