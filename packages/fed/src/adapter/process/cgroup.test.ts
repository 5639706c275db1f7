/** Against a tree of plain files: which files are written. What the kernel makes of them is asked in process.test.ts, where it lets us. */

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCgroup, joinFile, openCgroups, ranOutOfMemory } from "./cgroup.ts";

let mount: string;
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), "fed-cgroup-"));
});
afterEach(() => rmSync(mount, { recursive: true, force: true }));

function addGroup(path: string, controllers: string): void {
  mkdirSync(join(mount, path), { recursive: true });
  writeFileSync(join(mount, path, "cgroup.subtree_control"), controllers);
  writeFileSync(join(mount, path, "cgroup.procs"), "");
}

test("the highest group that is ours and hands on controllers takes the instances", () => {
  addGroup("user.slice", "");
  addGroup("user.slice/user@1000.service", "memory pids\n");
  addGroup("user.slice/user@1000.service/app.slice", "memory\n");
  const root = openCgroups(mount, "/user.slice/user@1000.service/app.slice/fed.service");
  const folder = join(mount, "user.slice/user@1000.service/fed");
  expect(root).toEqual({ folder, limits: { cpu: false, memory: true } });
  expect(readFileSync(join(folder, "cgroup.subtree_control"), "utf8")).toBe("+memory");
});

test("limits become the kernel's words, in a group of the instance's own", () => {
  addGroup("", "cpu memory\n");
  const root = openCgroups(mount, "/");
  const group = createCgroup(root, "ins_a", { cpu: 0.5, memoryBytes: 1_000_000 });
  expect(group).toBe(join(mount, "fed/ins_a"));
  const read = (name: string) => readFileSync(join(mount, "fed/ins_a", name), "utf8");
  expect([read("cpu.max"), read("memory.max"), read("memory.oom.group")]).toEqual(["50000 100000", "1000000", "1"]);
  expect(joinFile(group)).toBe(join(mount, "fed/ins_a/cgroup.procs"));
  expect(createCgroup(root, "ins_b", {})).toBeUndefined();
});

test("without a place there are no limits, and none is claimed", () => {
  const none = { folder: undefined, limits: { cpu: false, memory: false } };
  expect(openCgroups(mount, "/a/b")).toEqual(none);
  addGroup("", "pids io\n");
  expect(openCgroups(mount, "/a/b")).toEqual(none);
  expect(createCgroup(openCgroups(mount, "/a/b"), "ins_a", { cpu: 1 })).toBeUndefined();
  expect(existsSync(join(mount, "fed"))).toBe(false);
});

test("a group that is not ours to write is passed over", () => {
  addGroup("", "memory\n");
  chmodSync(mount, 0o555);
  // Root may write everything: it looks as somebody else.
  const root = process.geteuid?.() === 0;
  try {
    if (root) process.seteuid?.(65_534);
    expect(openCgroups(mount, "/a").folder).toBeUndefined();
  } finally {
    if (root) process.seteuid?.(0);
    chmodSync(mount, 0o755);
  }
});

test("an end for want of memory is read from the group's events", () => {
  writeFileSync(join(mount, "memory.events"), "low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\n");
  expect(ranOutOfMemory(mount)).toBe(false);
  writeFileSync(join(mount, "memory.events"), "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n");
  expect(ranOutOfMemory(mount)).toBe(true);
  expect(ranOutOfMemory(join(mount, "gone"))).toBe(false);
});
