import { readFileSync } from "node:fs";
import { arch, availableParallelism, hostname, release, type as systemType, totalmem, uptime } from "node:os";

/** What this machine is; shapes as in `wire/machine.ts`. */
export interface LocalFacts {
  readonly hostname: string;
  readonly os: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly bootedMs: number;
}

/** Reads what the machine says of itself; `bootedMs` is exact to about a second. */
export function readLocalFacts(): LocalFacts {
  return {
    hostname: hostname(),
    os: readName() ?? systemType(),
    kernel: release(),
    architecture: arch(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    bootedMs: Math.round((Date.now() - uptime() * 1_000) / 1_000) * 1_000,
  };
}

/** PRETTY_NAME of os-release(5). */
function readName(): string | undefined {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      const [, name] = /^PRETTY_NAME=(?:"([^"\n]*)"|'([^'\n]*)'|(.*))$/m.exec(readFileSync(path, "utf8")) ?? [];
      if (name !== undefined) return name;
    } catch {
      // Not a Linux with systemd's file: the kernel's name will do.
    }
  }
  return undefined;
}
