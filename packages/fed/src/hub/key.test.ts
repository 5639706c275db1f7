import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readKey } from "./key.ts";

async function makePath() {
  const folder = await mkdtemp(join(tmpdir(), "fed-key-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "token");
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test("a key is made once, for its user's eyes alone", async () => {
  const path = await makePath();
  const key = await readKey(path);
  expect(Buffer.from(key, "base64url")).toHaveLength(32);
  expect(await modeOf(path)).toBe(0o600);
  expect(await readFile(path, "utf8")).toBe(`${key}\n`);
  expect(await readKey(path)).toBe(key);
  expect(await readKey(await makePath())).not.toBe(key);
});

test("one that others may read is closed to them", async () => {
  const path = await makePath();
  const key = await readKey(path);
  await chmod(path, 0o644);
  expect(await readKey(path)).toBe(key);
  expect(await modeOf(path)).toBe(0o600);
});

test("an empty file, left by a full disk, becomes a key", async () => {
  const path = await makePath();
  await writeFile(path, "\n");
  expect(await readKey(path)).toHaveLength(43);
});
