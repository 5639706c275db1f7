import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";

/** The real program, as its own process; whatever becomes of its test, it does not outlive it. */

export const repository = join(import.meta.dirname, "../..");
export const entry = join(repository, "packages/fed/src/cli/main.ts");

/** As the launcher does it: without it a start takes more than twice as long. */
export const launched = { NODE_COMPILE_CACHE: join(repository, ".cache/compile") };

export interface ProgramOptions {
  readonly cwd?: string;
  /** Beside PATH and HOME, and in their place. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the test's own context where tests run side by side: the common one does not know then whose end it is. */
  readonly atEnd?: typeof onTestFinished;
  /** Drops the rights of root. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Ending {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function startProgram(command: string, words: readonly string[], options: ProgramOptions = {}) {
  const { PATH = "", HOME = "/" } = process.env;
  const child = spawn(command, words, {
    cwd: options.cwd ?? "/",
    env: { PATH, HOME, ...launched, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...options.user,
  });
  const kept = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    kept.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    kept.err += text;
  });
  /** What stdout holds once `pattern` is in it; fails when the program ends before. */
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(kept.out);
      if (match) return match;
      const more = await Promise.race([once(child.stdout, "data"), ending]);
      if (!Array.isArray(more)) throw new Error(`fed ended with ${more.code} before it said ${pattern}: ${more.err}`);
    }
  };
  const ending = once(child, "close").then(([code]): Ending => ({ code: code as number | null, ...kept }));
  (options.atEnd ?? onTestFinished)(async ({ task }) => {
    if (task.result?.state === "fail" && words.includes("up")) {
      process.stderr.write(
        `a hub of the test that failed said last: ${kept.out.slice(-1_500)}${kept.err.slice(-1_500)}\n`,
      );
    }
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await Promise.race([ending, wait(5_000, undefined, { ref: false })]);
    child.kill("SIGKILL");
  });
  return { child, ending, says };
}

/** Runs fed to its end. */
export function runFed(words: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return startProgram(process.execPath, [entry, ...words], options).ending;
}

/** A clear word on stderr, nothing on stdout, the code of the fault table, and no stack trace. */
export function expectFault(ending: Ending, exit: number, says: string): void {
  expect(ending.err).toContain(says);
  expect(ending).toMatchObject({ code: exit, out: "" });
  expect(ending.err).toMatch(/^fed: \S/);
  expect(ending.err).not.toMatch(/^\s+at .+:\d+/m);
  expect(ending.err.trimEnd().split("\n").length).toBeGreaterThanOrEqual(2);
}
