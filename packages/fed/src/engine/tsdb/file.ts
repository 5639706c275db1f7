import { type FileHandle, open } from "node:fs/promises";
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

/** All of the data: where the disk becomes full, a write takes a part and says so, and only the next one fails. */
export async function writeWhole(file: FileHandle, data: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await file.write(data, done, data.length - done, at + done);
    done += bytesWritten;
  }
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
