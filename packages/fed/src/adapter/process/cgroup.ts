/**
 * Limits by control groups, version 2 (Linux, Documentation/admin-guide/cgroup-v2.rst). One group per instance, in a
 * folder `fed` of the highest group where we may make one: at the root for root; below user@<uid>.service for a user
 * whose hub was started by systemd's user manager. A plain SSH session of a user has no such place: then nothing is
 * enforced, and `limits` says so.
 *
 * There is no fallback on purpose: rlimits bound address space or data of each process alone, not the memory a
 * service uses, and would end runtimes that reserve much and use little (Node, the JVM, Go).
 */

import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { InstanceLimits } from "#port/runtime.ts";

export interface CgroupRoot {
  /** Folder for the instances' groups; undefined when there is none for us. */
  readonly folder: string | undefined;
  readonly limits: { readonly cpu: boolean; readonly memory: boolean };
}

const nothing: CgroupRoot = { folder: undefined, limits: { cpu: false, memory: false } };
const periodUs = 100_000;

/** Looks for a place for groups and makes it. `mount` and `own` are given in tests. */
export function openCgroups(mount = findMount(), own = ownGroup()): CgroupRoot {
  if (mount === undefined || own === undefined) return nothing;
  for (const parent of ancestors(mount, own)) {
    try {
      const given = words(join(parent, "cgroup.subtree_control")).filter((name) => name === "cpu" || name === "memory");
      if (given.length === 0) continue;
      accessSync(parent, constants.W_OK);
      // A process moves only when its mover may write the common ancestor's list.
      accessSync(join(parent, "cgroup.procs"), constants.W_OK);
      const folder = join(parent, "fed");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "cgroup.subtree_control"), given.map((name) => `+${name}`).join(" "));
      return { folder, limits: { cpu: given.includes("cpu"), memory: given.includes("memory") } };
    } catch {
      // Not ours to use; perhaps the next one down.
    }
  }
  return nothing;
}

/** Makes the group of one instance; undefined when it has no limit that is enforced here. */
export function createCgroup(root: CgroupRoot, id: string, limits: InstanceLimits): string | undefined {
  const cpu = root.limits.cpu ? limits.cpu : undefined;
  const memoryBytes = root.limits.memory ? limits.memoryBytes : undefined;
  if (root.folder === undefined || (cpu === undefined && memoryBytes === undefined)) return undefined;
  const group = join(root.folder, id);
  mkdirSync(group, { recursive: true });
  if (cpu !== undefined)
    writeFileSync(join(group, "cpu.max"), `${Math.max(1000, Math.round(cpu * periodUs))} ${periodUs}`);
  if (memoryBytes !== undefined) {
    writeFileSync(join(group, "memory.max"), String(memoryBytes));
    // All of the instance or nothing: half a service is worse than none.
    writeIfThere(join(group, "memory.oom.group"), "1");
    writeIfThere(join(group, "memory.swap.max"), "0");
  }
  return group;
}

/** The file a process writes its number to in order to join. */
export const joinFile = (group: string | undefined) => (group === undefined ? "" : join(group, "cgroup.procs"));

/** Whether the kernel ended something in the group for want of memory. */
export function ranOutOfMemory(group: string): boolean {
  try {
    return /^oom_kill [1-9]/m.test(readFileSync(join(group, "memory.events"), "latin1"));
  } catch {
    return false;
  }
}

/** Ends everything in the group at once, whatever it forks meanwhile; an older kernel leaves that to signals. */
export function killCgroup(group: string): void {
  writeIfThere(join(group, "cgroup.kill"), "1");
}

/** Removes the group of an ended instance; one that still holds a process stays. */
export function removeCgroup(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // Gone already, or the kernel has not yet let go of it: an empty group costs nothing.
  }
}

/** Groups above our own, the highest first. */
function ancestors(mount: string, own: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = dirname(join(mount, own)); folder.startsWith(mount); folder = dirname(folder)) folders.push(folder);
  return own === "/" ? [mount] : folders.reverse();
}

function findMount(): string | undefined {
  const line = lines("/proc/self/mountinfo").find((text) => / - cgroup2 /.test(text));
  return line?.split(" ")[4];
}

function ownGroup(): string | undefined {
  return lines("/proc/self/cgroup")
    .find((text) => text.startsWith("0::"))
    ?.slice(3);
}

function words(file: string): readonly string[] {
  return readFileSync(file, "latin1").split(/\s+/).filter(Boolean);
}

function lines(file: string): readonly string[] {
  try {
    return readFileSync(file, "latin1").split("\n");
  } catch {
    return [];
  }
}

function writeIfThere(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch {
    // An older kernel, or one without swap accounting.
  }
}
