import { expect, onTestFinished, test } from "vitest";
import { openTestControl } from "#hub/db/control.fake.ts";
import { type LabRow, saveLab, selectNewestLab } from "./store.ts";

const one: LabRow = { hash: "h1", name: "home", file: "/lab/lab.ts", document: "{}", acceptedMs: 1 };
const two: LabRow = { ...one, hash: "h2", document: '{"name":"home"}' };

test("a lab that is accepted again and again takes one row, until another one comes between", () => {
  const control = openTestControl();
  onTestFinished(() => control[Symbol.dispose]());
  const { db } = control;
  const save = (lab: LabRow, acceptedMs: number) => db.tx((tx) => saveLab(tx, { ...lab, acceptedMs }));
  const rows = () =>
    db
      .prepare("SELECT hash, file, accepted_ms FROM lab ORDER BY sequence", (row) => Object.values(row).join(" "))
      .all();
  for (const ms of [1, 2, 3]) save(one, ms);
  expect(rows()).toEqual(["h1 /lab/lab.ts 3"]);
  save(two, 4);
  save(one, 5);
  save({ ...one, file: "/lab/other.ts" }, 6);
  expect(rows()).toEqual(["h1 /lab/lab.ts 3", "h2 /lab/lab.ts 4", "h1 /lab/lab.ts 5", "h1 /lab/other.ts 6"]);
  expect(selectNewestLab(db, one.file)).toEqual({ ...one, acceptedMs: 5 });
});
