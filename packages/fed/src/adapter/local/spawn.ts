import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { type Clock, sleep } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { ShellCommand } from "#port/shell.ts";
import { endingMs } from "#port/shell-limit.ts";
import { findTree } from "./tree.ts";

export type ProcessEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string };

/** A command that runs on this machine. */
export interface Spawned {
  readonly child: ChildProcessWithoutNullStreams;
  /** The command itself has ended. Never rejects; a command that cannot run ends by 127 or 126, with the reason. */
  readonly ended: Promise<ProcessEnd & { readonly trouble?: string }>;
  /** Ends it and what it started: SIGTERM, and SIGKILL for who does not obey. Resolves when they are gone. */
  kill(): Promise<void>;
}

/** Runs it as the leader of a session of its own, in the user's home as after a login. */
export function spawnCommand(
  { argv, environment }: ShellCommand,
  inherited: Readonly<Record<string, string>>,
  clock: Clock,
): Spawned {
  const [file = "", ...words] = argv;
  const child = start(file, words, { ...inherited, ...environment });
  const end = Promise.withResolvers<ProcessEnd & { readonly trouble?: string }>();
  child.once("error", (error) => end.resolve(neverRan(error, file)));
  child.once("exit", (code, signal) => {
    end.resolve(code === null ? { kind: "killed", signal: signal ?? "SIGKILL" } : { kind: "exited", code });
  });
  // Who does not read what we write has ended, and that is told otherwise.
  child.stdin.on("error", () => {});
  let ending: Promise<void> | undefined;
  return {
    ...{ child, ended: end.promise },
    kill() {
      ending ??= child.pid === undefined ? Promise.resolve() : endTree(child.pid, clock);
      return ending;
    },
  };
}

function start(file: string, words: readonly string[], env: Readonly<Record<string, string>>) {
  try {
    const cwd = env.HOME !== undefined && existsSync(env.HOME) ? env.HOME : "/";
    return spawn(file, words, { env, cwd, stdio: "pipe", detached: true });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Fault("invalid", `the command cannot be run: ${message}`, { cause: thrown });
  }
}

function neverRan(error: Error, file: string): ProcessEnd & { readonly trouble: string } {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT") return { kind: "exited", code: 127, trouble: `${file}: command not found\n` };
  return { kind: "exited", code: 126, trouble: `${file}: ${code === "EACCES" ? "may not be run" : error.message}\n` };
}

/** How often it is looked whether they are gone. */
const lookMs = 10;

async function endTree(leader: number, clock: Clock): Promise<void> {
  let left = findTree(leader, new Set());
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of left) send(pid, signal);
    for (let waitedMs = 0; left.size > 0 && waitedMs < endingMs; waitedMs += lookMs) {
      await sleep(clock, lookMs);
      left = findTree(leader, left);
    }
  }
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, or belongs to somebody else.
  }
}
