import { readFileSync } from "node:fs";
import { arch, availableParallelism, hostname, release, type as systemType, totalmem, uptime } from "node:os";
import type { MachineFacts } from "#wire/machine.ts";

/** What this machine says of itself. `bootedMs` is exact to about a second, and moves as the clock is set right. */
export function readLocalFacts(): MachineFacts {
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

function readName(): string | undefined {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      const name = prettyNameOf(readFileSync(path, "utf8"));
      if (name !== undefined) return name;
    } catch {
      // Not a Linux with systemd's file: the kernel's name will do.
    }
  }
  return undefined;
}

/** PRETTY_NAME of os-release(5): a shell's assignment, with a backslash before what a shell would read as its own. */
export function prettyNameOf(text: string): string | undefined {
  const [, inDouble, inSingle, bare] = /^PRETTY_NAME=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S*))[ \t]*$/m.exec(text) ?? [];
  const name = inDouble === undefined ? (inSingle ?? bare) : inDouble.replaceAll(/\\(["$`\\])/g, "$1");
  return name === "" ? undefined : name;
}
