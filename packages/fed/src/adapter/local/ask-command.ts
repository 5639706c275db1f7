import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Fault } from "#base/fault.ts";
import type { ProbeCommand } from "#port/probe.ts";

/** Undefined for exit code 0, else the reason in plain words. Returns once the process has ended and its group is killed. */
export function askCommand(run: ProbeCommand, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = start(run);
    // No SIGTERM first: a probe has had its time, and must not take more.
    const stop = () => killGroup(child);
    signal.addEventListener("abort", stop, { once: true });
    const settle = (reason: string | undefined) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else resolve(reason);
    };
    child.once("error", (error) => settle(whyNot(error, run)));
    child.once("exit", (code, killedBy) => {
      // What it left in the background goes with it.
      killGroup(child);
      settle(code === 0 ? undefined : code === null ? `killed by ${killedBy}` : `exit code ${code}`);
    });
  });
}

function start({ command, folder, environment }: ProbeCommand): ChildProcess {
  const [file, ...args] = command;
  if (!file) throw new Fault("invalid", "the health command is empty", { hint: 'Write it as a list: ["pg_isready"].' });
  try {
    // Detached: the leader of a process group of its own, which can be killed as one.
    return spawn(file, args, { cwd: folder, env: environment, stdio: "ignore", detached: true });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Fault("invalid", `the health command cannot be run: ${message}`, { cause: thrown });
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}

function whyNot(error: Error, { command: [file], folder }: ProbeCommand): string {
  const code = "code" in error ? error.code : undefined;
  // The system says the same of a folder that is missing as of a command.
  if (code === "ENOENT") return existsSync(folder) ? `command not found: ${file}` : `folder not found: ${folder}`;
  if (code === "EACCES") return `command may not be run: ${file}`;
  return `command does not start: ${error.message}`;
}
