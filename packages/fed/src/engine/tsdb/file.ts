import { open } from "node:fs/promises";

/** What could not be read of a file, in words that name the place. */
export interface Damage {
  readonly file: string;
  readonly what: string;
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
