/**
 * Runtimes `docker` and `podman`: services as containers of an engine, on this machine or wherever a connection to its socket
 * leads. What runs carries its labels; nothing else is kept. Containers have no restart policy: restarting is the caller's job.
 */
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { ContainerRuntime } from "#port/runtime.ts";
import { openEngineClient } from "./client.ts";
import type { EngineSocket } from "./dial.ts";
import { type Dialect, dockerDialect, podmanDialect } from "./dialect.ts";
import { beginListening } from "./listen.ts";
import { readLog } from "./log.ts";
import { lookAtAll } from "./look.ts";
import { ensureNetwork } from "./network.ts";
import { runInside } from "./run.ts";
import { startInstance } from "./start.ts";
import { makeState, requireOpen, type State } from "./state.ts";
import { removeInstance, stopInstance } from "./stop.ts";
import { measureUse } from "./use.ts";
import { listVolumes, removeVolume } from "./volume.ts";

export interface EngineRuntimeOptions {
  readonly socket: EngineSocket;
  readonly clock: Clock;
  readonly trace: Trace;
}

/** Connects when it is first used: an engine that is away can come later. */
export function openDockerRuntime(options: EngineRuntimeOptions): ContainerRuntime {
  return openRuntime(dockerDialect, options);
}

/** As `openDockerRuntime`. Its socket is made by `podman system service`, which Debian has as `podman.socket`. */
export function openPodmanRuntime(options: EngineRuntimeOptions): ContainerRuntime {
  return openRuntime(podmanDialect, options);
}

function openRuntime(dialect: Dialect, { socket, clock, trace }: EngineRuntimeOptions): ContainerRuntime {
  const client = openEngineClient({ name: dialect.name, socket, clock });
  return makeRuntime(makeState({ client, dialect, clock, trace }));
}

function makeRuntime(state: State): ContainerRuntime {
  return {
    name: state.dialect.name,
    // An engine that may make no control groups says so when it makes the container, and that reaches the diary.
    features: { workloads: ["image"], limits: { cpu: true, memory: true }, commands: true, events: true },
    async list(signal) {
      requireOpen(state, signal);
      const seen = await lookAtAll(state, signal);
      const ours = seen.map(({ instance }) => instance).filter(({ id }) => !state.starting.has(id));
      return ours.sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    start: (spec, signal) => startInstance(state, spec, signal),
    async stop(id, graceMs, signal) {
      requireOpen(state, signal);
      await stopInstance(state, id, graceMs, signal);
    },
    async remove(id, signal) {
      requireOpen(state, signal);
      await removeInstance(state, id, signal);
    },
    logs: (id, options, signal) => readLog(state, id, options, signal),
    async stats(ids, signal) {
      requireOpen(state, signal);
      return measureUse(state, ids, signal);
    },
    async run(id, argv, timeoutMs, signal) {
      requireOpen(state, signal);
      return runInside(state, id, argv, timeoutMs, signal);
    },
    watch(signal) {
      if (!state.closing.signal.aborted) beginListening(state);
      return state.events.read(signal);
    },
    async hostAddress(lab, environment, signal) {
      requireOpen(state, signal);
      return (await ensureNetwork(state, { lab, environment }, signal)).gateway;
    },
    async volumes(signal) {
      requireOpen(state, signal);
      return listVolumes(state, signal);
    },
    async removeVolume(name, signal) {
      requireOpen(state, signal);
      await removeVolume(state, name, signal);
    },
    async close() {
      if (state.closing.signal.aborted) return;
      state.closing.abort(new Fault("conflict", `the runtime ${state.dialect.name} is closed`));
      state.events.close();
    },
  };
}
