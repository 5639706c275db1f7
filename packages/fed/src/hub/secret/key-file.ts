import { chmod, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { fileFault } from "#disk/file-fault.ts";
import { type MasterKey, readMasterKey, textOfKey } from "./master-key.ts";

/** What was found where a key may be. */
export type Found =
  | { readonly kind: "none" }
  | { readonly kind: "key"; readonly key: MasterKey }
  /** Something is there that is no key, or cannot be read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** The files of the master key in the data folder. */
export interface KeyFiles {
  /** Of `master.key`, for messages. */
  readonly path: string;
  read(): Promise<Found>;
  /** Of `master.key.next`: a rotation was under way. */
  readNext(): Promise<Found>;
  write(key: MasterKey): Promise<void>;
  writeNext(key: MasterKey): Promise<void>;
  /** `master.key.next` takes the place of `master.key`. */
  takeNext(): Promise<void>;
  dropNext(): Promise<void>;
  /** Moves a `master.key` that is not the vault's out of the way; answers where it is now. */
  setAside(): Promise<string | undefined>;
}

export function openKeyFiles(dataFolder: string, trace: Trace): KeyFiles {
  const path = join(dataFolder, "master.key");
  const next = `${path}.next`;
  return {
    path,
    read: () => readKeyFile(path, trace),
    readNext: () => readKeyFile(next, trace),
    write: (key) => writeFileAtomic(path, `${textOfKey(key)}\n`),
    writeNext: (key) => writeFileAtomic(next, `${textOfKey(key)}\n`),
    // A power cut may undo it: then the next start finds the key by its id, and does it again.
    takeNext: () => rename(next, path).catch((thrown) => Promise.reject(fileFault(thrown, "rename", next))),
    dropNext: () => rm(next, { force: true }),
    async setAside() {
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) return undefined;
      const was = await readKeyFile(path, trace);
      const aside = `${path}.${was.kind === "key" ? was.key.id : `unreadable-${Math.floor(found.mtimeMs)}`}`;
      await rename(path, aside).catch((thrown) => Promise.reject(fileFault(thrown, "rename", path)));
      return aside;
    },
  };
}

async function readKeyFile(path: string, trace: Trace): Promise<Found> {
  try {
    const text = await readFileIfThere(path);
    if (text === undefined) return { kind: "none" };
    await closeToOthers(path, trace);
    return { kind: "key", key: readMasterKey(text) };
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code === "internal") throw thrown;
    return { kind: "unreadable", reason: thrown.message };
  }
}

async function closeToOthers(path: string, trace: Trace): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  trace.warn("others could read the master key: it is closed to them now, and `fed key rotate` makes a new one", {
    path,
  });
  await chmod(path, 0o600);
}
