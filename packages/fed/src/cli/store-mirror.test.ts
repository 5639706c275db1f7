import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { tempFolder } from "#disk/fixture.ts";
import { mirrorStore } from "./store-mirror.ts";

test("logs are copied and blocks linked; what waits for others stays where it is", async () => {
  const store = tempFolder();
  for (const name of ["wal/1.wal", "stage/1.wal", "block/1-2.block", "tier-5m/1-2.block", "queue/0.wal", "lock"]) {
    mkdirSync(dirname(join(store, name)), { recursive: true });
    writeFileSync(join(store, name), "");
  }
  const { folder, close } = await mirrorStore(store);
  onTestFinished(close);
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => {
    const stats = lstatSync(join(folder, name));
    return stats.isDirectory() ? [] : [`${name} ${stats.isSymbolicLink() ? "linked" : "copied"}`];
  });
  expect(found.flat().sort()).toEqual([
    "block/1-2.block linked",
    "stage/1.wal copied",
    "tier-5m/1-2.block linked",
    "wal/1.wal copied",
  ]);
});
