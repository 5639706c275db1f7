import { existsSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { startProgram } from "./program.ts";

/** A machine of a test that reports by itself: a folder and the processes of its agent, gone with its test. */

/** For the name of a test: which of these tools is missing here; "" for none. In CI none may be. */
export function without(...tools: readonly string[]): string {
  const missing = tools.find((tool) => !existsSync(`/usr/bin/${tool}`));
  return missing === undefined || process.env.CI === "true" ? "" : ` [skipped: no ${missing}]`;
}

export const shells = ["dash", "bash", "busybox"] as const;

export interface Machine {
  /** Where the agent lives. */
  readonly folder: string;
  /** Runs what a person is told to type; its end, and what it said. */
  type(line: string): ReturnType<typeof startProgram>["ending"];
  /** Processes of the agent, by number. */
  processes(): Promise<readonly number[]>;
  read(file: string): Promise<string>;
  /** Where what changes often is kept. */
  live(): string;
}

/** Its `sh` is this shell; on busybox, everything but curl is busybox. `atEnd` of the test's own context where tests run side by side. */
export async function makeMachine(shell: (typeof shells)[number], atEnd = onTestFinished): Promise<Machine> {
  const home = await mkdtemp(join(tmpdir(), `fed-push-${shell}-`));
  const bin = join(home, "bin");
  const folder = join(home, "agent");
  await layOutTools(bin, shell, atEnd);
  const live = () => (process.getuid?.() === 0 ? `/run/fed-agent${folder.replaceAll("/", "-")}` : join(folder, "live"));
  const processes = () => findProcesses(folder);
  atEnd(async () => {
    for (let tries = 0; tries < 100; tries++) {
      const left = await processes();
      if (left.length === 0) break;
      for (const pid of left) kill(pid, tries < 50 ? "SIGTERM" : "SIGKILL");
      await pause(20);
    }
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
    rmSync(live(), { recursive: true, force: true });
  });
  const env = { PATH: shell === "busybox" ? bin : `${bin}:/usr/bin:/bin`, HOME: home, FED_AGENT_DIR: folder };
  return {
    ...{ folder, live, processes },
    type: (line) => startProgram(join(bin, "sh"), ["-c", line], { env, atEnd }).ending,
    read: (file) => readFile(join(folder, file), "utf8"),
  };
}

async function layOutTools(bin: string, shell: string, atEnd: typeof onTestFinished): Promise<void> {
  await mkdir(bin);
  if (shell !== "busybox") return symlinkSync(`/usr/bin/${shell}`, join(bin, "sh"));
  const { out } = await startProgram("/usr/bin/busybox", ["--list"], { atEnd }).ending;
  for (const name of out.trim().split("\n")) symlinkSync("/usr/bin/busybox", join(bin, name));
  symlinkSync("/usr/bin/curl", join(bin, "curl"));
}

async function findProcesses(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (environment.includes(`FED_AGENT_DIR=${folder}`) && isAlive(name)) found.push(Number(name));
  }
  return found;
}

function isAlive(pid: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== "";
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself.
  }
}
