import { open } from "node:fs/promises";
import { errorCode } from "#disk/file-fault.ts";

/** What could not be read of a file, in words that name the place. */
export interface Damage {
  readonly file: string;
  readonly what: string;
}

/** Whether a file, or a part of it, is gone for good: somebody took it away, or the disk cannot read it any more. */
export function isLost(thrown: unknown): boolean {
  return ["ENOENT", "EIO"].includes(errorCode(thrown) ?? "");
}

/** A file's name is on the disk only once its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
