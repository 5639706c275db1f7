/** Starts the wrapper of one instance, in a session of its own and with no tie to this process but its exit event. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Fault } from "#base/fault.ts";
import type { InstanceSpec } from "#port/runtime.ts";

const wrapperPath = fileURLToPath(new URL("./wrapper.sh", import.meta.url));

export interface Launch {
  /** Absolute path of the executable, then its arguments. */
  readonly command: readonly string[];
  readonly workFolder: string;
  readonly instanceFolder: string;
  readonly outputPath: string;
  /** The cgroup.procs file to join, or "". */
  readonly joinFile: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** All words of the wrapper's command line: the instance's own, and nothing of its environment. */
function wrapperArgv(launch: Launch): readonly string[] {
  return [wrapperPath, launch.instanceFolder, launch.joinFile, ...launch.command];
}

export function launchWrapper(launch: Launch): ChildProcess {
  const output = openSync(launch.outputPath, "a", 0o600);
  try {
    const child = spawn("/bin/sh", wrapperArgv(launch), {
      cwd: launch.workFolder,
      env: launch.environment,
      stdio: ["ignore", output, output],
      detached: true,
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

/** The instance's whole environment: what is allowed through from the hub, its own, and what it is told about itself. */
export function buildEnvironment(
  inherit: Readonly<Record<string, string>>,
  spec: InstanceSpec,
  /** Paths of the files it is given, by variable. */
  files: Readonly<Record<string, string>>,
  port: number,
): Readonly<Record<string, string>> {
  return {
    ...inherit,
    ...spec.environment,
    ...files,
    PORT: String(port),
    HOST: "127.0.0.1",
    FED_INSTANCE: spec.id,
    FED_SERVICE: spec.labels.service,
    FED_ENVIRONMENT: spec.labels.environment,
  };
}

/** Refuses what cannot be handed over whole. Names variables, never values. */
export function requirePassable(spec: InstanceSpec, command: readonly string[]): void {
  if (command.some((word) => word.includes("\0")))
    throw new Fault("invalid", "the command holds a NUL character, which no command line can");
  for (const { name } of Object.values(spec.files ?? {}))
    if (!/^[A-Za-z0-9_.-]+$/.test(name) || /^\.+$/.test(name))
      throw new Fault("invalid", `"${name}" cannot be the name of a file`, { hint: "Use letters, digits, . _ and -." });
  const content = Object.entries(spec.files ?? {}).map(([name, file]) => [name, file.name] as const);
  for (const [name, value] of [...Object.entries(spec.environment), ...content]) {
    if (value.includes("\0")) throw new Fault("invalid", `the value of ${name} holds a NUL character`);
    // A POSIX shell drops any other name from the environment it hands on, and says nothing.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new Fault("unsupported", `a process cannot be given the environment variable "${name}"`, {
        hint: "Use letters, digits and underscores, and begin with no digit.",
      });
  }
}
