import { randomBytes } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault } from "#base/fault.ts";
import type { UploadFile } from "#port/shell.ts";

/** Into a file beside, which takes the other's place when all of it is there. */
export async function uploadLocally({ path, bytes, mode }: UploadFile, signal: AbortSignal): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.fed`);
  try {
    const file = await open(beside, "wx", 0o600);
    try {
      // Before it has content, and whatever the umask is.
      await file.chmod(mode);
      for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
        signal.throwIfAborted();
        await file.writeFile(part);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    if (await isFolder(path)) throw new Fault("conflict", `a folder stands at ${path}`);
    await rename(beside, path);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw signal.aborted ? signal.reason : faultOf(thrown, path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function faultOf(thrown: unknown, path: string): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const cause = { cause: thrown };
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new Fault("missing", `there is no folder ${dirname(path)} on this machine`, cause);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new Fault("denied", `not allowed to write ${path} on this machine`, cause);
    case "ENOSPC":
    case "EDQUOT":
      return new Fault("unreachable", `the disk of this machine is full: ${path} was not written`, {
        ...{ ...cause, hint: "Make room on it.", details: { disk: "full" } },
      });
    default:
      return thrown;
  }
}
