/** Runs a command beside a running instance: in its folder, with its environment. It is one of the instance's processes. */

import { spawn } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { Fault, isFault } from "#base/fault.ts";
import type { RunOutcome } from "#port/runtime.ts";
import { findCommand } from "./command.ts";
import { findMembers, type Held, type Surroundings } from "./instance.ts";

const outputLimitBytes = 64 * 1024;
/** What timeout(1) says. */
const tookTooLong = 124;

export async function runInside(
  around: Surroundings,
  held: Held,
  argv: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const members = await findMembers(around, held);
  signal.throwIfAborted();
  const place = members.map(({ pid }) => readPlace(pid)).find((read) => read !== undefined);
  if (place === undefined) throw new Fault("missing", `instance ${held.record.id} has ended`);
  const found = find(argv[0] ?? "", place);
  if (typeof found !== "string") return found;
  const child = spawn(found, argv.slice(1), {
    cwd: place.folder,
    env: place.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = Buffer.alloc(0);
  const keep = (chunk: Buffer) => {
    output = Buffer.concat([output, chunk]).subarray(-outputLimitBytes);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const code = await untilEnded(around, child, timeoutMs, signal);
  return { code, output: output.toString("utf8") };
}

interface Place {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The executable, or what a shell says of one that is not there or may not be run. */
function find(name: string, { folder, environment }: Place): string | RunOutcome {
  try {
    return findCommand(name, folder, environment.PATH ?? "");
  } catch (thrown) {
    if (!isFault(thrown) || (thrown.code !== "missing" && thrown.code !== "denied")) throw thrown;
    return { code: thrown.code === "missing" ? 127 : 126, output: `${thrown.message}\n` };
  }
}

function untilEnded(
  around: Surroundings,
  child: ReturnType<typeof spawn>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    };
    const settle = (outcome: () => void) => {
      timer.cancel();
      signal.removeEventListener("abort", giveUp);
      outcome();
    };
    const giveUp = () => {
      kill();
      settle(() => reject(signal.reason));
    };
    const timer = around.clock.after(timeoutMs, () => {
      kill();
      settle(() => resolve(tookTooLong));
    });
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    child.once("error", (cause) =>
      settle(() => reject(new Fault("internal", `the command could not be started: ${cause.message}`, { cause }))),
    );
    // Not "exit": its output is complete at "close".
    child.once("close", (code, ended) => settle(() => resolve(code ?? 128 + (ended ? constants.signals[ended] : 0))));
  });
}

/** The folder and the environment of a process; nothing when it is gone or not ours to read. */
function readPlace(pid: number): Place | undefined {
  try {
    const environment: Record<string, string> = {};
    for (const line of readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")) {
      const at = line.indexOf("=");
      if (at > 0) environment[line.slice(0, at)] = line.slice(at + 1);
    }
    if (environment.FED_INSTANCE === undefined) return undefined;
    return { folder: readlinkSync(`/proc/${pid}/cwd`), environment };
  } catch {
    return undefined;
  }
}
