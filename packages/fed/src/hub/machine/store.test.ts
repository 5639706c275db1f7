import fc from "fast-check";
import { expect, test } from "vitest";
import { openTestControl } from "#hub/db/control.fake.ts";
import { machineStates } from "#wire/machine.ts";
import { facts } from "./machine.scene.ts";
import { deleteMachine, type MachineRow, saveMachine, selectMachines } from "./store.ts";

const whenMs = fc.integer({ min: 0, max: 2 ** 45 });
const rows: fc.Arbitrary<MachineRow> = fc.record({
  name: fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/),
  kind: fc.constantFrom("server" as const, "workstation" as const),
  state: fc.constantFrom(...machineStates),
  sinceMs: whenMs,
  seenMs: fc.option(whenMs, { nil: undefined }),
  facts: fc.option(fc.record({ ...constantsOf(facts), hostname: fc.string(), bootedMs: whenMs }), { nil: undefined }),
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
    saveMachine(tx, { name: "a", kind: "server", state: "online", sinceMs: 1, seenMs: 1, facts });
    tx.run("UPDATE machine SET facts = :facts", { facts: '{"hostname":"a","cores":"four"}' });
  });
  expect(selectMachines(control.db)).toEqual([
    { name: "a", kind: "server", state: "online", sinceMs: 1, seenMs: 1, facts: undefined },
  ]);
});
