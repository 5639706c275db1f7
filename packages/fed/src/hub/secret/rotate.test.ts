import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { makeMasterKey, sheetLinesOf, textOfKey } from "./master-key.ts";
import { copyFolder, makeFolder, openTestVault, origin } from "./secret.scene.ts";

const secrets = [
  [{ name: "ssh-key", machine: "node5" }, "one"],
  [{ name: "ssh-password" }, "two ✓"],
  [{ name: "ssh-key-passphrase", machine: "node6" }, "x".repeat(60_000)],
] as const;

type Vault = Awaited<ReturnType<typeof openTestVault>>["vault"];

const versions = ["first", "second"];

async function fill(vault: Vault) {
  for (const [name, value] of secrets) await vault.set(origin, name, value);
  for (const value of versions) await vault.values.set(origin, { name: "DB", environment: "prod" }, value);
}

async function expectAll(vault: Vault) {
  for (const [{ name, ...where }, value] of secrets) {
    expect(vault.reveal("machine" in where ? where.machine : "any", name)?.value).toBe(value);
  }
  expect(await Promise.all([1, 2].map((version) => vault.values.reveal("DB", "prod", version)))).toEqual(versions);
}

test("a rotation seals everything anew, and the old key opens nothing of it", async () => {
  const folder = await makeFolder();
  const { vault, db, news, close } = await openTestVault(folder);
  await fill(vault);
  const old = { sheet: vault.sheet(origin), file: await readFile(join(folder, "master.key"), "utf8") };
  const sealed = () =>
    db
      .prepare("SELECT hex(sealed) AS h FROM vault UNION ALL SELECT hex(sealed) FROM secret_value", (row) =>
        String(row.h),
      )
      .all();
  const before = sealed();
  news();
  const { from, to, secrets: count } = await vault.rotate(origin);
  expect([from, count]).toEqual([old.sheet.id, 5]);
  expect(news()).toEqual([["vault", "key.rotated", { from, to, secrets: 5 }]]);
  expect(sealed().filter((one) => before.includes(one))).toEqual([]);
  await expectAll(vault);
  expect(vault.sheet(origin).id).toBe(to);
  expect((await readdir(folder)).filter((name) => name.startsWith("master.key"))).toEqual(["master.key"]);
  close();
  const again = await openTestVault(folder);
  await expectAll(again.vault);
  await expect(again.vault.restore(origin, old.sheet.text)).rejects.toMatchObject({ code: "conflict" });
  again.close();
  await writeFile(join(folder, "master.key"), old.file);
  expect((await openTestVault(folder)).vault.trouble?.message).toContain(
    `is ${from}, and the vault is sealed by ${to}`,
  );
});

test("one that is broken off on the disk changes nothing, or is done at the next start", async () => {
  const full = new Fault("unreachable", "the disk is full");
  const folder = await makeFolder();
  const first = await openTestVault(folder);
  await fill(first.vault);
  first.close();
  for (const step of ["writeNext", "deed", "takeNext"] as const) {
    const copy = await copyFolder(folder);
    let rotating = false;
    const spoilt = await openTestVault(copy, {
      files: (real) => ({ ...real, [step]: step === "deed" ? undefined : () => Promise.reject(full) }),
      events: (real) => ({
        ...real,
        deed(by, work) {
          if (step === "deed" && rotating) throw full;
          return real.deed(by, work);
        },
      }),
    });
    rotating = true;
    if (step === "takeNext") await spoilt.vault.rotate(origin);
    else await expect(spoilt.vault.rotate(origin)).rejects.toThrow("disk is full");
    await expectAll(spoilt.vault);
    spoilt.close();
    const next = await openTestVault(copy);
    expect(next.vault.trouble).toBeUndefined();
    await expectAll(next.vault);
    expect((await readdir(copy)).filter((name) => name.startsWith("master.key"))).toEqual(["master.key"]);
  }
});

test("a key whose file could not be put in its place is not lost in the next rotation", async () => {
  const folder = await makeFolder();
  let full = false;
  const { vault, close } = await openTestVault(folder, {
    files: (real) => ({ ...real, takeNext: () => Promise.reject(new Fault("denied", "it may not be renamed")) }),
    events: (real) => ({
      ...real,
      deed(by, work) {
        if (full) throw new Fault("unreachable", "the disk is full");
        return real.deed(by, work);
      },
    }),
  });
  await fill(vault);
  await vault.rotate(origin);
  full = true;
  await expect(vault.rotate(origin)).rejects.toThrow("disk is full");
  close();
  const again = await openTestVault(folder);
  expect(again.vault.trouble).toBeUndefined();
  await expectAll(again.vault);
});

test("two at once take their turns", async () => {
  const { vault } = await openTestVault(await makeFolder());
  await fill(vault);
  const [one, other] = await Promise.all([vault.rotate(origin), vault.rotate(origin)]);
  expect(other.from).toBe(one.to);
  await expectAll(vault);
});

test("FED_KEY wins over the file and is never written; its rotation goes by FED_KEY_NEXT", async () => {
  const folder = await makeFolder();
  const [current, next] = [makeMasterKey(), makeMasterKey()];
  const first = await openTestVault(folder, { given: { current: textOfKey(current) } });
  await fill(first.vault);
  expect(first.vault.sheet(origin)).toMatchObject({ id: current.id, text: expect.stringContaining("FED_KEY") });
  await expect(first.vault.rotate(origin)).rejects.toMatchObject({ hint: expect.stringContaining("FED_KEY_NEXT") });
  first.close();
  const given = { current: textOfKey(current), next: sheetLinesOf(next).join(" ") };
  const rotating = await openTestVault(folder, { given });
  expect(await rotating.vault.rotate(origin)).toEqual({ from: current.id, to: next.id, secrets: 5 });
  await expectAll(rotating.vault);
  expect(rotating.vault.trouble).toMatchObject({ hint: expect.stringContaining("as FED_KEY") });
  rotating.close();
  // A start with both, as a unit that was not edited yet has it, opens it all the same.
  const both = await openTestVault(folder, { given });
  await expectAll(both.vault);
  both.close();
  const after = await openTestVault(folder, { given: { current: textOfKey(next) } });
  await expectAll(after.vault);
  expect(after.vault.trouble).toBeUndefined();
  after.close();
  expect((await readdir(folder)).filter((name) => name.startsWith("master.key"))).toEqual([]);
  const without = await openTestVault(folder);
  expect(without.vault.trouble?.message).toContain("is not there");
});

test.each([
  ["another key", textOfKey(makeMasterKey()), "FED_KEY is key_"],
  ["no key", "hunter2", "FED_KEY is no master key"],
])("a FED_KEY that is %s counts all the same, and the right file is named", async (_, current, says) => {
  const folder = await makeFolder();
  const first = await openTestVault(folder);
  await fill(first.vault);
  first.close();
  const { vault, news, diary } = await openTestVault(folder, { given: { current } });
  expect(vault.trouble).toMatchObject({
    message: expect.stringContaining(says),
    hint: expect.stringContaining("master.key is the right one: start fed without FED_KEY"),
  });
  expect(JSON.stringify([vault.trouble, news(), diary])).not.toContain(current);
  await expect(vault.set(origin, { name: "x" }, "y")).rejects.toMatchObject({ code: "conflict" });
});

test("starting over with a new FED_KEY takes that one", async () => {
  const folder = await makeFolder();
  const [lost, fresh] = [makeMasterKey(), makeMasterKey()];
  const first = await openTestVault(folder, { given: { current: textOfKey(lost) } });
  await fill(first.vault);
  first.close();
  const { vault } = await openTestVault(folder, { given: { current: textOfKey(fresh) } });
  expect(await vault.startOver(origin)).toEqual({ to: fresh.id, kept: 5 });
  await vault.set(origin, { name: "ssh-password" }, "anew");
  expect(vault.reveal("any", "ssh-password")?.value).toBe("anew");
  expect(await vault.restore(origin, sheetLinesOf(lost).join("\n"))).toEqual({ id: lost.id, secrets: 4 });
});
