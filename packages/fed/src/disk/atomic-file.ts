import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCode, fileFault } from "./file-fault.ts";
import { isAlive } from "./process.ts";

/** A temp file of a living process is left alone for so long; a writer never needs it. */
const staleAfterMs = 10 * 60_000;

/** Temp files this thread is writing now. */
const writing = new Set<string>();

/**
 * Replaces the file's content as a whole: whoever reads, and whatever crashes, finds the old content or the new. When it
 * returns, the new content survives a power cut. The folder must exist; a symbolic link is replaced, not followed. `mode`
 * (0600 when left out) holds before the first byte is in the file, whatever the umask. Of several writers at once the last to
 * finish wins. Faults name the path; the content is then still a whole one: the old, or the new when the disk failed at the last sync.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: { readonly mode?: number | undefined } = {},
): Promise<void> {
  const temp = join(dirname(path), `${tempPrefix(path)}${process.pid}.${randomBytes(6).toString("hex")}`);
  writing.add(temp);
  try {
    await writeWhole(temp, data, options.mode ?? 0o600);
    await rename(temp, path);
    await syncFolder(dirname(path));
  } catch (thrown) {
    await rm(temp, { force: true }).catch(() => {});
    throw fileFault(thrown, "write", path);
  } finally {
    writing.delete(temp);
  }
  await sweep(path);
}

/** The file's content as UTF-8 text; undefined when there is no file. Fault `denied`, `conflict` for what cannot be read. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (errorCode(thrown) === "ENOENT") return undefined;
    throw fileFault(thrown, "read", path);
  }
}

async function writeWhole(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.chmod(mode);
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The name of the file is on the disk only once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const tempPrefix = (path: string) => `.${basename(path)}.tmp-`;

/** Removes the temp files that writers of this path left when they were killed. Best effort: the write itself is done. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = tempPrefix(path);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const temp = join(folder, name);
    if (!writing.has(temp) && (await isAbandoned(temp, name.slice(prefix.length)))) {
      await rm(temp, { force: true }).catch(() => {});
    }
  }
}

/** Its writer is dead, or lives but cannot be at it still: in a container every hub has the same pid. */
async function isAbandoned(temp: string, tail: string): Promise<boolean> {
  const pid = /^(\d+)\.[0-9a-f]{12}$/.exec(tail)?.[1];
  if (pid === undefined) return false;
  if (!isAlive(Number(pid))) return true;
  const found = await stat(temp).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleAfterMs;
}
