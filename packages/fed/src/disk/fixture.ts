/** For tests of this folder: a folder of their own, a user without special rights, a child to kill. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** A folder that is gone when the test is over. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs `work` as a user whom permissions bind, also when the tests run as root, whom they do not. */
export async function asOrdinaryUser<T>(work: () => T | Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

export interface Child {
  readonly process: ChildProcess;
  /** Waits for the next line it prints; rejects with its errors when it ends instead. */
  line(): Promise<string>;
  /** Kills it with -9 and waits until it is dead. */
  kill(): Promise<void>;
}

/**
 * A Node process that runs `code` (a module; `here` is the folder of the sources). Dead when the test is over.
 * As an ordinary user when asked, if the tests run as root.
 */
export function startNode(code: string, as: "ourselves" | "ordinary user" = "ourselves"): Child {
  const module = `const here = ${JSON.stringify(new URL("./", import.meta.url).href)};\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", module], {
    // Half of a start is to make JavaScript of the sources.
    env: { ...process.env, NODE_COMPILE_CACHE: join(import.meta.dirname, "../../../../.cache/compile") },
    stdio: ["ignore", "pipe", "pipe"],
    ...(as === "ordinary user" && process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  return {
    process: child,
    kill,
    async line() {
      const next = await lines.next();
      if (next.done) throw new Error(`the child ended: ${errors}`);
      return next.value;
    },
  };
}

/** What the deed throws. */
export async function thrownBy(deed: () => unknown): Promise<unknown> {
  try {
    await deed();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}
