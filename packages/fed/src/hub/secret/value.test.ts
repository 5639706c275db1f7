import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeMasterKey, textOfKey } from "./master-key.ts";
import { makeFolder, openTestVault, origin } from "./secret.scene.ts";

const dayMs = 86_400_000;
const prod = { name: "DB", environment: "prod" };
const all = { name: "DB" };

/** A data folder with a secret that lies in a file. */
async function makeFolderWith(files: Readonly<Record<string, string>>) {
  const folder = await makeFolder();
  await mkdir(join(folder, "secrets"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "secrets", name), text);
  return folder;
}

test("each value that is set is a version of its own, and a release gets the one it names", async () => {
  const { vault, news, changes } = await openTestVault(await makeFolder());
  const { values } = vault;
  expect(await values.set(origin, all, "one")).toEqual({ version: 1, changed: true });
  expect(await values.set(origin, prod, "two")).toEqual({ version: 2, changed: true });
  expect(await values.set(origin, all, "three")).toEqual({ version: 3, changed: true });
  expect(Object.fromEntries(values.versionsOf("prod"))).toEqual({ DB: 2 });
  expect(Object.fromEntries(values.versionsOf("dev"))).toEqual({ DB: 3 });
  expect(await values.reveal("DB", "dev", 1)).toBe("one");
  expect(await values.reveal("DB", "prod", 1)).toBe("one");
  expect(await values.reveal("DB", "prod", 2)).toBe("two");
  expect(await values.reveal("DB", "dev", 3)).toBe("three");
  // What is set for one environment alone is nobody else's.
  await expect(values.reveal("DB", "dev", 2)).rejects.toMatchObject({ code: "missing" });
  expect(await values.read("DB")).toBe("three");
  expect(values.list()).toEqual([
    { ...all, environment: undefined, version: 3, setMs: expect.any(Number), setBy: "user:ada", lost: false },
    { ...prod, version: 2, setMs: expect.any(Number), setBy: "user:ada", lost: false },
  ]);
  expect(news()).toEqual([
    ["secret:DB", "secret.set", { version: 1 }],
    ["secret:prod/DB", "secret.set", { version: 2 }],
    ["secret:DB", "secret.set", { version: 3 }],
  ]);
  expect(changes()).toBeGreaterThanOrEqual(3);
});

test("the same value again is no new version", async () => {
  const { vault, news } = await openTestVault(await makeFolder());
  await vault.values.set(origin, prod, "one");
  news();
  expect(await vault.values.set(origin, prod, "one")).toEqual({ version: 1, changed: false });
  expect(news()).toEqual([]);
  // But it is one elsewhere, and after another one.
  expect(await vault.values.set(origin, all, "one")).toEqual({ version: 2, changed: true });
  await vault.values.set(origin, prod, "two");
  expect(await vault.values.set(origin, prod, "one")).toEqual({ version: 4, changed: true });
});

test("what is removed goes to nothing new, and releases keep it; its number is never given again", async () => {
  const { vault, news } = await openTestVault(await makeFolder());
  const { values } = vault;
  await values.set(origin, all, "one");
  await values.set(origin, prod, "two");
  news();
  await values.remove(origin, prod);
  expect(news()).toEqual([["secret:prod/DB", "secret.removed", {}]]);
  expect(values.versionsOf("prod").get("DB")).toBe(1);
  expect(await values.reveal("DB", "prod", 2)).toBe("two");
  await expect(values.remove(origin, prod)).rejects.toMatchObject({ code: "missing" });
  await values.remove(origin, all);
  expect(values.versionsOf("prod").has("DB")).toBe(false);
  expect(values.list()).toEqual([]);
  await expect(values.read("DB")).rejects.toMatchObject({ hint: expect.stringContaining("fed secret set DB`") });
  // The value that it had before is a new one all the same.
  expect(await values.set(origin, prod, "two")).toEqual({ version: 3, changed: true });
});

test("versions are forgotten a day after they were replaced or removed, but for those that are needed", async () => {
  const { vault, db, clock } = await openTestVault(await makeFolder());
  const { values } = vault;
  for (const value of ["1", "2", "3"]) await values.set(origin, prod, value);
  await values.set(origin, all, "4");
  const kept = async () => {
    const opened = [1, 2, 3, 4].map((version) => values.reveal("DB", "prod", version).catch(() => "gone"));
    return (await Promise.all(opened)).join(" ");
  };
  const forget = (...needed: readonly number[]) =>
    db.tx((tx) => values.forget(tx, (name, version) => name === "DB" && needed.includes(version)));
  forget();
  expect(await kept()).toBe("1 2 3 4");
  await clock.turn(dayMs);
  forget(1);
  expect(await kept()).toBe("1 gone 3 4");
  await values.remove(origin, all);
  await values.remove(origin, prod);
  forget(1);
  expect(await kept()).toBe("1 gone 3 4");
  await clock.turn(dayMs);
  forget();
  expect(await kept()).toBe("gone gone gone gone");
  await expect(values.reveal("DB", "prod", 4)).rejects.toMatchObject({
    code: "missing",
    hint: expect.stringContaining("Deploy"),
  });
  // The number 4 was given, though nothing of it is left.
  expect(db.prepare("SELECT version, sealed FROM secret_value", (row) => ({ ...row })).all()).toEqual([
    { version: 4, sealed: null },
  ]);
  expect(await values.set(origin, prod, "5")).toEqual({ version: 5, changed: true });
});

test("a file of the data folder is version 0, where the store has none", async () => {
  const folder = await makeFolderWith({ DB: "from a file\n", "not-a-name": "x" });
  const { vault } = await openTestVault(folder);
  const { values } = vault;
  expect(Object.fromEntries(values.versionsOf("prod"))).toEqual({ DB: 0 });
  expect(values.list()).toEqual([
    { name: "DB", environment: undefined, version: 0, setMs: undefined, setBy: undefined, lost: false },
  ]);
  expect(await values.reveal("DB", "prod", 0)).toBe("from a file");
  expect(await values.read("DB")).toBe("from a file");
  await values.set(origin, prod, "stored");
  expect([values.versionsOf("prod").get("DB"), values.versionsOf("dev").get("DB")]).toEqual([1, 0]);
  expect(await values.read("DB")).toBe("from a file");
  await values.set(origin, all, "for all");
  expect(await values.read("DB")).toBe("for all");
  // A release from before goes on to read its file.
  expect(await values.reveal("DB", "prod", 0)).toBe("from a file");
  await rm(join(folder, "secrets"), { recursive: true });
  await expect(values.reveal("DB", "prod", 0)).rejects.toMatchObject({ hint: expect.stringContaining("--env prod") });
  expect(Object.fromEntries(values.versionsOf("dev"))).toEqual({ DB: 2 });
});

test("a value is a text of bounded number and without a zero byte, and lies nowhere in the clear", async () => {
  const folder = await makeFolder();
  const { vault, db, close } = await openTestVault(folder);
  const value = "correct horse battery staple";
  await vault.values.set(origin, prod, value);
  await expect(vault.values.set(origin, prod, "a\0b")).rejects.toMatchObject({ code: "invalid" });
  db.tx((tx) => {
    tx.run(`INSERT INTO secret_value SELECT 'X', 'prod', n, key_id, sealed, set_ms, set_by, removed_ms FROM secret_value,
      (WITH RECURSIVE s(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < 9999) SELECT n FROM s)`);
  });
  await expect(vault.values.set(origin, prod, "more")).rejects.toMatchObject({ code: "limited" });
  close();
  for (const name of await readdir(folder)) expect((await readFile(join(folder, name))).includes(value)).toBe(false);
});

test("a row that was put in the place of another does not open, and stops a rotation", async () => {
  const { vault, db } = await openTestVault(await makeFolder());
  await vault.values.set(origin, prod, "one");
  await vault.values.set(origin, prod, "two");
  db.tx((tx) => {
    tx.run("UPDATE secret_value SET sealed = (SELECT sealed FROM secret_value WHERE version = 1) WHERE version = 2");
  });
  await expect(vault.values.reveal("DB", "prod", 2)).rejects.toThrow("was changed in the database");
  await expect(vault.rotate(origin)).rejects.toThrow("prod/DB (version 2) was changed");
  expect(await vault.values.reveal("DB", "prod", 1)).toBe("one");
});

test("a lost master key: nothing opens, nothing is taken, and all is there when it is back", async () => {
  const folder = await makeFolder();
  const first = await openTestVault(folder);
  await first.vault.values.set(origin, prod, "secret#value");
  const sheet = first.vault.sheet(origin);
  first.close();
  await writeFile(join(folder, "master.key"), textOfKey(makeMasterKey()));
  const { vault, news, redactor } = await openTestVault(folder);
  const { values } = vault;
  expect(values.list()).toMatchObject([{ lost: true }]);
  expect(values.versionsOf("prod").get("DB")).toBe(1);
  await expect(values.reveal("DB", "prod", 1)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("cannot be opened"),
  });
  for (const refused of [values.set(origin, prod, "x"), values.remove(origin, prod)]) {
    await expect(refused).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("locked") });
  }
  await vault.startOver(origin);
  await expect(values.reveal("DB", "prod", 1)).rejects.toThrow("which is lost");
  expect(redactor.redact("secret#value")).toBe("secret#value");
  // Another value in its place is set without it.
  expect(await values.set(origin, prod, "anew")).toEqual({ version: 2, changed: true });
  news();
  expect(await vault.restore(origin, sheet.text)).toEqual({ id: sheet.id, secrets: 1 });
  expect(await values.reveal("DB", "prod", 1)).toBe("secret#value");
  expect(redactor.redact("secret#value")).toBe("[secret DB]");
});

test("whatever the hub opens, or opened before, is known to who cleans its texts", async () => {
  const folder = await makeFolderWith({ FILE: "in a file 1\n" });
  const first = await openTestVault(folder);
  await first.vault.values.set(origin, prod, "in the store 1");
  await first.vault.values.set(origin, prod, "in the store 2");
  await first.vault.set(origin, { name: "ssh-password" }, "for machines 1");
  expect(first.redactor.redact("in the store 2")).toBe("[secret DB]");
  first.close();
  const { vault, redactor } = await openTestVault(folder);
  expect(redactor.redact("in the store 1, in the store 2")).toBe("[secret DB], [secret DB]");
  await vault.values.reveal("FILE", "prod", 0);
  vault.reveal("node5", "ssh-password");
  expect(redactor.redact("in a file 1, for machines 1")).toBe("[secret FILE], [secret ssh-password]");
});
