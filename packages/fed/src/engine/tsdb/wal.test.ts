import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { readWal, Wal } from "./wal.ts";
import type { NamedSeries } from "./wal-record.ts";

test("a log names series that leave before their samples are written, and each once in a file", async () => {
  const folder = tempFolder();
  const [files, here] = [new Map<number, number>(), new Map<number, NamedSeries>()];
  const series = {
    fileOf: (id: number) => (here.has(id) ? (files.get(id) ?? 0) : 0),
    setFile: (id: number, file: number) => void files.set(id, file),
    nameOf: (id: number) => here.get(id),
  };
  const wal = new Wal(folder, { clock: systemClock, durability: "relaxed", windowMs: 0, series }, [], -Infinity);
  const named = (id: number): NamedSeries => ({ id, tenant: `t${id}`, labels: ["__name__", `m${id}`] });
  const stays = named(1);
  const leaves = named(2);
  here.set(1, stays).set(2, leaves);
  wal.add(1, 10, 0, 0);
  wal.add(2, 10, 0, 0);
  wal.add(2, 11, 0, 0);
  here.delete(2);
  wal.keepName(2, () => leaves);
  await wal.commit();
  wal.add(1, 12, 0, 0);
  await wal.commit();
  await wal.close();
  const found: { readonly named: readonly NamedSeries[]; readonly ids: number[] }[] = [];
  readWal(folder, (record) => {
    if (record.kind === "samples") found.push({ named: record.named, ids: [...record.rows.ids] });
  });
  expect(found).toEqual([
    { named: [stays, leaves], ids: [1, 2, 2] },
    { named: [], ids: [1] },
  ]);
});
