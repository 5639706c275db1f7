/** Starts an instance: everything that can be wrong is found out before anything is written, and written before it runs. */

import type { ChildProcess } from "node:child_process";
import { Fault } from "#base/fault.ts";
import type { Instance, InstanceSpec } from "#port/runtime.ts";
import { createCgroup, joinFile, removeCgroup } from "./cgroup.ts";
import { findCommand, requireFolder } from "./command.ts";
import { type Held, holdInstance, settle, toInstance } from "./instance.ts";
import { openOutput } from "./output.ts";
import { readProcess } from "./proc.ts";
import { createRecord, exitOf, idPattern, outputFolder, removeRecord, writeFiles } from "./record.ts";
import { buildEnvironment, launchWrapper, requirePassable } from "./spawn.ts";
import { requireOpen, type State, warnOnce } from "./state.ts";

export async function startInstance(state: State, spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
  requireOpen(state, signal);
  const { id, workload } = spec;
  if (workload.kind !== "process")
    throw new Fault("unsupported", `the process runtime cannot run a workload of kind ${workload.kind}`, {
      hint: "Images and builds need a container runtime such as Docker.",
    });
  if (!idPattern.test(id)) throw new Fault("invalid", `"${id}" cannot be the id of an instance`);
  requirePassable(spec, workload.command);
  requireFolder(workload.folder);
  const path = spec.environment.PATH ?? state.options.inherit.PATH ?? "/usr/local/bin:/usr/bin:/bin";
  const executable = findCommand(workload.command[0] ?? "", workload.folder, path);
  if (state.held.has(id) || state.starting.has(id)) throw new Fault("conflict", `there is an instance ${id} already`);
  warnOfLimits(state, spec);
  state.starting.add(id);
  try {
    const port = await state.ports.take(spec.port, id, signal);
    try {
      requireOpen(state, signal);
      return await launch(state, spec, {
        port,
        command: [executable, ...workload.command.slice(1)],
        folder: workload.folder,
      });
    } catch (error) {
      state.ports.release(port, id);
      throw error;
    }
  } finally {
    state.starting.delete(id);
  }
}

/** Writes the record, then spawns; nothing waits in between, so that only kill -9 can come there. */
async function launch(
  state: State,
  spec: InstanceSpec,
  what: { readonly port: number; readonly command: readonly string[]; readonly folder: string },
): Promise<Instance> {
  const { id, labels } = spec;
  const root = state.options.folder;
  const cgroup = createCgroup(state.cgroups, id, spec.limits);
  const address = { host: "127.0.0.1", port: what.port };
  const record = { id, labels, address, startedMs: state.around.clock.nowMs(), boot: state.boot, cgroup };
  const folder = createRecord(root, record);
  try {
    state.options.onStep?.("folder");
    const output = openOutput(outputFolder(folder));
    const files = writeFiles(folder, spec.files ?? {});
    const child = launchWrapper({
      command: what.command,
      workFolder: what.folder,
      instanceFolder: folder,
      outputPath: output.path,
      joinFile: joinFile(cgroup),
      environment: buildEnvironment(state.options.inherit, spec, files, what.port),
    });
    const stat = child.pid === undefined ? undefined : readProcess(child.pid);
    const one = holdInstance(record, folder, output, stat && { pid: stat.pid, startTicks: stat.startTicks });
    if (child.pid === undefined) await new Promise((_, reject) => child.once("error", reject));
    state.options.onStep?.("spawned");
    state.held.set(id, one);
    hearExit(state, one, child);
    state.events.send({ kind: "started", id });
    return toInstance(one);
  } catch (error) {
    removeRecord(root, id);
    if (cgroup !== undefined) removeCgroup(cgroup);
    const code = (error as NodeJS.ErrnoException).code;
    throw new Fault(code === "E2BIG" ? "invalid" : "internal", `instance ${id} could not be started (${code})`, {
      hint:
        code === "E2BIG"
          ? "Its command and environment together are too large."
          : "The machine may be out of processes, files or memory.",
      cause: error,
    });
  }
}

function hearExit(state: State, one: Held, child: ChildProcess): void {
  child.once("exit", (code, signal) => {
    const atMs = state.around.clock.nowMs();
    one.wrapperExit = signal !== null ? { signal, atMs } : exitOf(code ?? undefined, atMs);
    void settle(state.around, one);
  });
}

function warnOfLimits(state: State, spec: InstanceSpec): void {
  const { limits } = state.cgroups;
  const missing = [
    spec.limits.cpu !== undefined && !limits.cpu ? "cpu" : undefined,
    spec.limits.memoryBytes !== undefined && !limits.memory ? "memory" : undefined,
  ].filter((limit) => limit !== undefined);
  if (missing.length === 0) return;
  const { environment, service } = spec.labels;
  warnOnce(state, `limits ${environment}/${service}`, "limits are not enforced here: fed may make no control groups", {
    service: `${environment}/${service}`,
    limits: missing,
  });
}
