import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { fileFault } from "./file-fault.ts";

/**
 * Makes sure of a folder that can be read and written, with its parents. `mode` is given to folders made here; one that
 * exists keeps its own. Fault `conflict` when a file is in the way, `denied` when it cannot be used.
 */
export async function ensureFolder(path: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw fileFault(thrown, "use the folder", path);
  }
}
