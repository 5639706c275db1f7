import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { tempFolder, thrownBy } from "./fixture.ts";
import { openDatabase } from "./sqlite.ts";
import { copyDatabase } from "./sqlite-copy.ts";

function makeShop() {
  const folder = tempFolder();
  const db = openDatabase(join(folder, "shop.db"));
  onTestFinished(() => db.close());
  db.tx((tx) => tx.script("CREATE TABLE pet (name TEXT) STRICT; INSERT INTO pet VALUES ('Rex')"));
  return { folder, db, to: join(folder, "größe 'x'.copy") };
}

const petsIn = (path: string) => {
  const db = openDatabase(path);
  try {
    return db.prepare("SELECT name FROM pet", (row) => row.name).all();
  } finally {
    db.close();
  }
};

it("copies what is committed, also what stands only in the log, for its user alone", () => {
  const { db, to } = makeShop();
  const before = process.umask(0);
  onTestFinished(() => void process.umask(before));
  db.tx((tx) => {
    tx.run("INSERT INTO pet VALUES ('Mia')");
  });
  copyDatabase(db.path, to);
  expect(statSync(to).mode & 0o777).toBe(0o600);
  expect(petsIn(to)).toEqual(["Rex", "Mia"]);
  // The locks of the first connection are still its own.
  db.tx((tx) => tx.run("INSERT INTO pet VALUES ('Bo')"));
  expect(petsIn(to)).toEqual(["Rex", "Mia"]);
});

it("replaces an older copy and one that was not finished", () => {
  const { db, to, folder } = makeShop();
  writeFileSync(`${to}.partial`, "half");
  copyDatabase(db.path, to);
  db.tx((tx) => tx.run("DELETE FROM pet"));
  copyDatabase(db.path, to);
  expect(petsIn(to)).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.includes("copy"))).toEqual(["größe 'x'.copy"]);
});

it("leaves nothing when it fails", async () => {
  const { db, to, folder } = makeShop();
  expect(await thrownBy(() => copyDatabase(join(folder, "none"), to))).toMatchObject({ code: "denied" });
  writeFileSync(join(folder, "notes"), "these are my notes. ".repeat(100));
  expect(await thrownBy(() => copyDatabase(join(folder, "notes"), to))).toMatchObject({ code: "invalid" });
  const lost = join(folder, "nowhere", "copy");
  expect(await thrownBy(() => copyDatabase(db.path, lost))).toMatchObject({
    code: "missing",
    message: expect.stringContaining(lost),
  });
  expect(readdirSync(folder).filter((name) => name.includes("copy"))).toEqual([]);
});
