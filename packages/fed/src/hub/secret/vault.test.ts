import { chmod, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeMasterKey, sheetLinesOf, textOfKey } from "./master-key.ts";
import { makeFolder, openTestVault, origin } from "./secret.scene.ts";

const value = "correct horse battery staple";
const keyName = { name: "ssh-key", machine: "node5" };

/** A folder with a sealed secret, its hub gone. */
async function makeSealed() {
  const folder = await makeFolder();
  const { vault, close } = await openTestVault(folder);
  await vault.set(origin, keyName, value);
  const { id, text } = vault.sheet(origin);
  close();
  return { folder, id, sheet: text, path: join(folder, "master.key") };
}

test("a secret is set, opened by who needs it, listed by name and removed", async () => {
  const { vault, news, changes } = await openTestVault(await makeFolder());
  expect(vault.list()).toEqual([]);
  await vault.set(origin, keyName, value);
  await vault.set(origin, { name: "ssh-key" }, "for all");
  expect(vault.reveal("node5", "ssh-key")).toEqual({ value, from: "the vault's node5/ssh-key" });
  expect(vault.reveal("node6", "ssh-key")).toEqual({ value: "for all", from: "the vault's ssh-key" });
  expect(vault.reveal("node6", "ssh-password")).toBeUndefined();
  expect([vault.hasOwn("node5", "ssh-key"), vault.hasOwn("node6", "ssh-key")]).toEqual([true, false]);
  const set = { setMs: expect.any(Number), setBy: "user:ada" };
  expect(vault.list()).toEqual([
    { name: "ssh-key", ...set },
    { name: "ssh-key", machine: "node5", ...set },
  ]);
  await vault.remove(origin, keyName);
  expect(vault.reveal("node5", "ssh-key")?.value).toBe("for all");
  await expect(vault.remove(origin, keyName)).rejects.toMatchObject({ code: "missing" });
  expect(news()).toEqual([
    ["credential:node5/ssh-key", "credential.set", {}],
    ["credential:ssh-key", "credential.set", {}],
    ["credential:node5/ssh-key", "credential.removed", {}],
  ]);
  expect(changes()).toBeGreaterThanOrEqual(3);
});

test("the key is made at its first use, for its user's eyes alone, and nothing lies in the clear", async () => {
  const folder = await makeFolder();
  const { vault, close } = await openTestVault(folder);
  expect(await readdir(folder)).not.toContain("master.key");
  expect(() => vault.sheet(origin)).toThrow("no master key yet");
  await expect(vault.rotate(origin)).rejects.toMatchObject({ code: "conflict" });
  await vault.set(origin, keyName, value);
  expect((await stat(join(folder, "master.key"))).mode & 0o777).toBe(0o600);
  close();
  for (const name of await readdir(folder)) {
    expect((await readFile(join(folder, name))).includes(value)).toBe(false);
  }
  expect((await openTestVault(folder)).vault.reveal("node5", "ssh-key")?.value).toBe(value);
});

test("a key that others could read is closed to them, and told", async () => {
  const { folder, path } = await makeSealed();
  await chmod(path, 0o644);
  const { diary } = await openTestVault(folder);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(diary.map(({ message }) => message)).toContainEqual(expect.stringContaining("others could read"));
});

test.each([
  ["is gone", (path: string) => rm(path), "is not there"],
  ["is another one", (path: string) => writeFile(path, textOfKey(makeMasterKey())), "is key_"],
  ["is no key any more", (path: string) => writeFile(path, "\0\0\0"), "cannot be used"],
  ["is empty", (path: string) => writeFile(path, ""), "cannot be used"],
])("a master key that %s locks the vault, says so once, and destroys nothing", async (_, lose, says) => {
  const { folder, id, path } = await makeSealed();
  const kept = await readFile(path);
  await lose(path);
  for (const start of [1, 2, 3]) {
    const { vault, news, close } = await openTestVault(folder);
    expect(vault.trouble?.message).toContain(says);
    expect(vault.trouble?.hint).toContain("fed key restore");
    const told = start === 1 ? [["vault", "key.lost", { id, reason: expect.stringContaining(says) }]] : [];
    expect(news()).toEqual(told);
    expect(() => vault.reveal("node5", "ssh-key")).toThrow(says);
    expect(vault.reveal("node6", "ssh-key")).toBeUndefined();
    expect(vault.list()).toMatchObject([{ name: "ssh-key", lost: true }]);
    const locked = { code: "conflict", message: expect.stringContaining("locked") };
    await expect(vault.set(origin, { name: "ssh-password" }, "x")).rejects.toMatchObject(locked);
    await expect(vault.remove(origin, keyName)).rejects.toMatchObject(locked);
    await expect(vault.rotate(origin)).rejects.toMatchObject(locked);
    expect(() => vault.sheet(origin)).toThrow("locked");
    close();
  }
  await writeFile(path, kept);
  const { vault, news, close } = await openTestVault(folder);
  expect(vault.trouble).toBeUndefined();
  expect(news()).toEqual([["vault", "key.restored", { id, secrets: 1 }]]);
  expect(vault.reveal("node5", "ssh-key")?.value).toBe(value);
  close();
  expect((await openTestVault(folder)).news()).toEqual([]);
});

test("a sheet brings a lost key back; another one does not, and what lay in its place is kept", async () => {
  const { folder, id, sheet, path } = await makeSealed();
  const stranger = makeMasterKey();
  await writeFile(path, textOfKey(stranger));
  const { vault, news, close } = await openTestVault(folder);
  news();
  await expect(vault.restore(origin, sheetLinesOf(stranger).join("\n"))).rejects.toThrow(`this is ${stranger.id}`);
  await expect(vault.restore(origin, "nonsense")).rejects.toMatchObject({ code: "invalid" });
  expect(vault.trouble).toBeDefined();
  expect(await vault.restore(origin, sheet)).toEqual({ id, secrets: 1 });
  expect(vault.trouble).toBeUndefined();
  expect(vault.reveal("node5", "ssh-key")?.value).toBe(value);
  expect(news()).toEqual([["vault", "key.restored", { id, secrets: 1 }]]);
  expect(await readFile(`${path}.${stranger.id}`, "utf8")).toBe(textOfKey(stranger));
  // Once more is no news.
  expect(await vault.restore(origin, sheet)).toEqual({ id, secrets: 1 });
  expect(news()).toEqual([]);
  close();
  expect((await openTestVault(folder)).vault.reveal("node5", "ssh-key")?.value).toBe(value);
});

test("starting over keeps what is sealed by the lost key, for the day it is found", async () => {
  const { folder, id, sheet, path } = await makeSealed();
  const aside = join(folder, "elsewhere");
  await rename(path, aside);
  const { vault, news, close } = await openTestVault(folder);
  news();
  const { to, kept } = await vault.startOver(origin);
  expect(kept).toBe(1);
  expect(news()).toEqual([["vault", "key.startedOver", { from: id, to, kept: 1 }]]);
  await expect(vault.startOver(origin)).rejects.toThrow("not lost");
  await vault.set(origin, { name: "ssh-password" }, "new");
  expect(vault.list()).toMatchObject([{ name: "ssh-key", lost: true }, { name: "ssh-password" }]);
  expect(() => vault.reveal("node5", "ssh-key")).toThrow(`sealed by ${id}, which is lost`);
  // What cannot be opened is not in the way of a rotation.
  const rotated = await vault.rotate(origin);
  expect(rotated).toMatchObject({ from: to, secrets: 1 });
  expect(await vault.restore(origin, sheet)).toEqual({ id, secrets: 1 });
  expect(vault.reveal("node5", "ssh-key")?.value).toBe(value);
  close();
  const again = await openTestVault(folder);
  expect(again.vault.reveal("node5", "ssh-key")?.value).toBe(value);
  expect(again.vault.reveal("node5", "ssh-password")?.value).toBe("new");
  await expect(again.vault.restore(origin, sheet)).rejects.toThrow("nothing in the vault is sealed by it");
});

test("a lost key is forgotten once nothing is sealed by it any more", async () => {
  const { folder, sheet, path } = await makeSealed();
  await rm(path);
  const { vault } = await openTestVault(folder);
  await vault.startOver(origin);
  await vault.set(origin, keyName, "anew");
  expect(vault.reveal("node5", "ssh-key")?.value).toBe("anew");
  await expect(vault.restore(origin, sheet)).rejects.toThrow("nothing in the vault is sealed by it");
});

test("starting over forgets a lost key that seals nothing", async () => {
  const { folder, sheet, path } = await makeSealed();
  const before = await openTestVault(folder);
  await before.vault.remove(origin, keyName);
  before.close();
  await rm(path);
  const { vault } = await openTestVault(folder);
  expect(await vault.startOver(origin)).toMatchObject({ kept: 0 });
  await expect(vault.restore(origin, sheet)).rejects.toThrow("nothing in the vault is sealed by it");
});

test("a row that was changed, or put in the place of another, does not open", async () => {
  const folder = await makeFolder();
  const { vault, db } = await openTestVault(folder);
  await vault.set(origin, { name: "ssh-password", machine: "node5" }, value);
  await vault.set(origin, { name: "ssh-password", machine: "node6" }, "other");
  db.tx((tx) => {
    tx.run("UPDATE vault SET sealed = (SELECT sealed FROM vault WHERE scope = 'node5') WHERE scope = 'node6'");
  });
  expect(() => vault.reveal("node6", "ssh-password")).toThrow("was changed in the database");
  await expect(vault.rotate(origin)).rejects.toThrow("node6/ssh-password was changed");
  expect(vault.reveal("node5", "ssh-password")?.value).toBe(value);
  expect(await readdir(folder)).not.toContain("master.key.next");
});

test("the vault does not grow without end", async () => {
  const { vault, db } = await openTestVault(await makeFolder());
  await vault.set(origin, { name: "n" }, "v");
  db.tx((tx) => {
    tx.run(`INSERT INTO vault SELECT 'm' || value, name, key_id, sealed, set_ms, set_by FROM vault,
      (WITH RECURSIVE n(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < 999) SELECT value FROM n)`);
  });
  await expect(vault.set(origin, { name: "one-more" }, "v")).rejects.toMatchObject({ code: "limited" });
  await vault.set(origin, { name: "n" }, "w");
});
