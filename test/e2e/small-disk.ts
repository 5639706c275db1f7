import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { leftBehind } from "./stage.ts";

/** A file system of a few megabytes that can be filled and emptied; whatever becomes of its test, it is unmounted. */

/** Why there can be none here, as a part of the names of tests; "" where there can. */
export const withoutSmallDisk = tryToMount()
  ? ""
  : " [skipped: no tmpfs can be mounted here; run as root, a container with --cap-add SYS_ADMIN]";

function tryToMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "fed-small-disk-"));
  const mounted = mount(folder, 1);
  if (mounted) unmount(folder);
  rmdirSync(folder);
  return mounted;
}

function mount(folder: string, sizeMiB: number): boolean {
  const options = `size=${sizeMiB}m,mode=0700`;
  return spawnSync("mount", ["-t", "tmpfs", "-o", options, "fed-test", folder], { stdio: "ignore" }).status === 0;
}

/** Lazily: it is gone from the tree at once, and for good when the last file on it is closed. */
function unmount(folder: string): void {
  execFileSync("umount", ["--lazy", folder]);
}

export interface SmallDisk {
  /** Writes a ballast file until nothing more fits. */
  fill(): void;
  /** Takes the ballast away. */
  empty(): void;
}

/** Mounts one at the data folder of a stage. */
export function mountSmallDisk(data: string, sizeMiB: number): SmallDisk {
  mkdirSync(data, { mode: 0o700 });
  if (!mount(data, sizeMiB)) throw new Error(`no tmpfs could be mounted at ${data}`);
  onTestFinished(async () => {
    for (const pid of await leftBehind(data)) process.kill(pid, "SIGKILL");
    unmount(data);
  });
  const ballast = join(data, "ballast");
  return {
    fill() {
      const file = openSync(ballast, "a");
      try {
        for (const chunkBytes of [1 << 20, 1 << 12]) while (writes(file, chunkBytes));
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(ballast),
  };
}

/** False when there is no room for all of it. */
function writes(file: number, sizeBytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(sizeBytes)) === sizeBytes;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC") return false;
    throw thrown;
  }
}
