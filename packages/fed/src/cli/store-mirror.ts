import { constants } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";

/** A folder that shows the files of a store of metrics as they were, to be opened in its stead. */
interface Mirror {
  readonly folder: string;
  close(): Promise<void>;
}

/**
 * Opening a store cuts off what its last writer left unfinished, and takes its lock. The mirror has copies of what could be
 * changed (the logs) and links to what never is (the blocks), so nothing happens to the store itself, also while a hub
 * runs on it. Logs come first: what is sealed meanwhile is in both, and counts once.
 */
export async function mirrorStore(store: string): Promise<Mirror> {
  const folder = await mkdtemp(join(tmpdir(), "fed-mirror-"));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const found = (await readdir(store, { recursive: true, withFileTypes: true })).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, mirrored: join(folder, relative(store, path)), isFolder: entry.isDirectory() };
    });
    const isBlock = ({ path }: { readonly path: string }) => path.endsWith(".block");
    const files = found.filter(({ path, isFolder }) => !isFolder && !isPassedOver(relative(store, path)));
    for (const { mirrored } of found.filter(({ isFolder }) => isFolder)) await mkdir(mirrored, { recursive: true });
    for (const { path, mirrored } of files.filter((one) => !isBlock(one))) {
      await copyFile(path, mirrored, constants.COPYFILE_FICLONE).catch(unlessGone);
    }
    for (const { path, mirrored } of files.filter(isBlock)) await symlink(path, mirrored);
    return { folder, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** What waits for others is in the blocks too, and may be a gibibyte. */
function isPassedOver(name: string): boolean {
  return name.startsWith(`queue${sep}`) || name.endsWith(".tmp") || name === "lock" || name.startsWith("lock.");
}

/** Its writer has removed it since. */
function unlessGone(thrown: unknown): void {
  if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
}
