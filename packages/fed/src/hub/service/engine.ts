import type { EngineDocument } from "@fed/lab";
import { Fault, isFault } from "#base/fault.ts";
import type { Shell } from "#port/shell.ts";
import type { Engine } from "./site.ts";

/** A place where an engine may listen on a machine. */
export interface EngineSeat {
  readonly kind: EngineDocument["kind"];
  /** Of its socket. */
  readonly path: string;
}

export interface EngineSearch {
  readonly machine: string;
  readonly shell: Shell;
  /** What the lab says of it. */
  readonly named: EngineDocument | undefined;
  /** An engine at this seat; it is asked when it is used first. */
  at(seat: EngineSeat): Engine;
}

const usual: Readonly<Record<EngineDocument["kind"], string>> = {
  docker: "/var/run/docker.sock",
  podman: "/run/podman/podman.sock",
};
const askMs = 10_000;

/**
 * The engine that the lab names, or the first that answers: those of the machine, then those of the hub's user there. Faults:
 * `unreachable` when the machine cannot be reached, `denied` when its engine does not let the hub in, `unsupported` when it has none.
 */
export async function findEngine(search: EngineSearch, signal: AbortSignal): Promise<Engine> {
  const { machine, shell } = search;
  // First of all it is found out whether the machine is there: what fails then is the engine's.
  const asked = await shell.run({ argv: ["id", "-u"] }, { timeoutMs: askMs }, signal);
  let telling: Fault | undefined;
  for (const seat of seatsOf(search.named, asked.stdout.trim())) {
    const engine = search.at(seat);
    try {
      await engine.runtime.list(signal);
      return engine;
    } catch (thrown) {
      await engine.runtime.close();
      signal.throwIfAborted();
      if (!isFault(thrown)) throw thrown;
      if (telling === undefined || thrown.code === "denied") telling = thrown;
    }
  }
  if (telling?.code === "denied") throw telling;
  const { named } = search;
  if (named !== undefined) {
    throw new Fault("unsupported", `${named.kind} does not answer on ${machine}: ${telling?.message ?? ""}`, {
      hint: telling?.hint,
    });
  }
  throw new Fault("unsupported", `neither Docker nor Podman answers on ${machine}`, {
    hint: "Install one (apt install docker.io, or podman), or say where it listens: engine: docker({ socket: … }).",
  });
}

/** Pure. `user`: the number of the hub's user there. */
export function seatsOf(named: EngineDocument | undefined, user: string): readonly EngineSeat[] {
  const own = /^[1-9]\d*$/.test(user) ? `/run/user/${user}` : undefined;
  const kinds = named === undefined ? (["docker", "podman"] as const) : [named.kind];
  if (named?.socket !== undefined) return [{ kind: named.kind, path: named.socket }];
  const below = { docker: "docker.sock", podman: "podman/podman.sock" } as const;
  return [
    ...kinds.map((kind) => ({ kind, path: usual[kind] })),
    ...(own === undefined ? [] : kinds.map((kind) => ({ kind, path: `${own}/${below[kind]}` }))),
  ];
}
