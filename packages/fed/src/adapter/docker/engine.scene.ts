/** For tests of the runtimes: engines and what runs in them. */
import { systemClock } from "#base/clock.ts";
import { silentTrace, type Trace } from "#base/trace.ts";
import type { Engine, EngineKind } from "#port/engine.scene.ts";
import type { FakeBehaviour } from "#port/runtime.fake.ts";
import type { ContainerRuntime, Workload } from "#port/runtime.ts";
import type { EngineSocket } from "./dial.ts";
import { openDockerRuntime, openPodmanRuntime } from "./runtime.ts";

const openers = { docker: openDockerRuntime, podman: openPodmanRuntime };

export function openEngine(
  kind: EngineKind,
  socket: EngineSocket,
  trace: Trace = silentTrace,
  clock = systemClock,
): ContainerRuntime {
  return openers[kind]({ socket, clock, trace });
}

/**
 * A shell that behaves as it is told. The first process of a container hears no signal that it does not ask for, so that what dies of one
 * says so by its exit code, as a shell does.
 */
export function behaving(
  engine: Engine,
  { absent, prints = [], shows = [], reads = [], onTerm = "dies", ends }: FakeBehaviour,
): Workload {
  if (absent) return { kind: "image", reference: engine.image(["no-such-command-of-fed"]) };
  const trap = { dies: "trap 'exit 143' TERM", ignores: "trap '' TERM", "says bye": "trap 'echo bye; exit 0' TERM" };
  const numbers: Readonly<Record<string, number>> = { SIGKILL: 9, SIGSEGV: 11 };
  const end = !ends
    ? "while :; do sleep 0.05; done"
    : `exit ${"code" in ends ? ends.code : 128 + (numbers[ends.signal] ?? 15)}`;
  const script = [
    trap[onTerm],
    ...(prints.length > 0 ? ["printf '%s\\n' \"$@\""] : []),
    ...shows.map((variable) => `printf '%s\\n' "$${variable}"`),
    ...reads.map((variable) => `cat "$${variable}"; echo`),
    end,
  ];
  return { kind: "image", reference: engine.image(["sh", "-c", script.join("; "), "sh", ...prints]) };
}

/** Ends whatever a test left in the engine. */
export function clear(engine: Engine): void {
  const ids = engine.run("ps", "-aq").split("\n").filter(Boolean);
  const words = engine.kind === "podman" ? ["-t", "0"] : [];
  if (ids.length > 0) engine.run("rm", "-f", ...words, ...ids);
}
