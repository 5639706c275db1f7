import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { holdLock } from "#disk/lock.ts";
import { forgetPresence, isHubThere, lockPathIn, readPresence, writePresence } from "./presence.ts";

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-presence-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const presence = { url: "http://127.0.0.1:1", ingressUrl: "http://127.0.0.1:2", pid: process.pid };

test("what a hub says of itself is read until it ends, or the next one forgets it", async () => {
  const folder = dataFolder();
  expect(await readPresence(folder)).toBeUndefined();
  await forgetPresence(folder);
  const written = await writePresence(folder, presence);
  expect(await readPresence(folder)).toEqual(presence);
  await written.remove();
  expect(await readPresence(folder)).toBeUndefined();
  await writePresence(folder, presence);
  await forgetPresence(folder);
  expect(await readPresence(folder)).toBeUndefined();
  writeFileSync(join(folder, "hub.json"), "{");
  expect(await readPresence(folder)).toBeUndefined();
});

test("a hub is there while it holds its lock, whatever its pid says", async () => {
  const folder = dataFolder();
  await writePresence(folder, presence);
  expect(isHubThere(folder)).toBe(false);
  const lock = holdLock(lockPathIn(folder));
  expect(isHubThere(folder)).toBe(true);
  lock.close();
  expect(isHubThere(folder)).toBe(false);
});
