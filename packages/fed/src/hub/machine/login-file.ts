import { open } from "node:fs/promises";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { errorCode, fileFault } from "#disk/file-fault.ts";
import { type KeyText, lookAtKey } from "#hub/secret/ssh-key.ts";

/** A private key's file. Its text is a secret. */
export interface KeyFile {
  readonly text: string;
  readonly encrypted: boolean;
}

/** The largest keys have about 13 KB. */
const mostBytes = 64 * 1024;

/** Paths that were warned of, once for each. */
const warned = new Set<string>();

/**
 * Undefined when there is no such file. Faults name the path: `denied` when it cannot be read, `invalid` when it holds no private key.
 * One that others can read is used all the same, and told.
 */
export async function readKeyFile(path: string, trace: Trace): Promise<KeyFile | undefined> {
  const { text, mode } = (await readSmall(path)) ?? {};
  if (text === undefined || mode === undefined) return undefined;
  const looks = lookAtKey(text);
  if (looks.kind !== "private") throw noKey(path, looks);
  if ((mode & 0o077) !== 0 && !warned.has(path)) {
    warned.add(path);
    trace.warn("others can read this private key: close it with chmod 600", { path });
  }
  return { text, encrypted: looks.encrypted };
}

async function readSmall(path: string): Promise<{ readonly text: string; readonly mode: number } | undefined> {
  try {
    await using file = await open(path, "r");
    const { mode, size } = await file.stat().then((found) => {
      if (found.isFile()) return found;
      throw new Fault("invalid", `the key ${path} is no file`);
    });
    if (size > mostBytes) throw noKey(path, { kind: "none" });
    return { text: await file.readFile("utf8"), mode };
  } catch (thrown) {
    if (errorCode(thrown) === "ENOENT") return undefined;
    throw fileFault(thrown, "read the key", path);
  }
}

function noKey(path: string, { kind }: Pick<KeyText, "kind">): Fault {
  const what = kind === "public" ? "holds a public key" : "holds no SSH private key";
  return new Fault("invalid", `${path} ${what}`, { hint: "Name the file without .pub." });
}
