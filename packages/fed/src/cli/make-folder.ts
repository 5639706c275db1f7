import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Makes the folder and those above it. (Node's own `recursive` never returns where the system refuses with ENOENT, as in /proc.) */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || existsSync(dirname(path))) throw thrown;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
}
