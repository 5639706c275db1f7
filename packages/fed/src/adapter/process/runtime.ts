/**
 * Runtime `process`: services as child processes of this machine that outlive the hub. Each runs under a small shell
 * (wrapper.sh) in a session of its own, writes its output to a file by itself, and leaves its labels and its end in its
 * folder (record.ts): whoever opens the same folder next finds it again. Restarting what crashed is the caller's job.
 */

import type { Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { ensureFolder } from "#disk/folder.ts";
import type { Runtime } from "#port/runtime.ts";
import { adoptAll } from "./adopt.ts";
import { type Held, letGo, settle, stopInstance, toInstance } from "./instance.ts";
import { type LogSource, readLog } from "./log.ts";
import { isAlive, procIsThere } from "./proc.ts";
import { idPattern, readExit, removeRecord, sweepDrafts } from "./record.ts";
import { runInside } from "./run.ts";
import { startInstance } from "./start.ts";
import { makeState, type ProcessRuntimeOptions, requireOpen, type State, trimOutput } from "./state.ts";
import { measureUse } from "./use.ts";

/** How often what cannot be heard is looked at: grown output, wrappers that were killed, ends that inotify missed. */
const sweepEveryMs = 2_000;

export interface ProcessRuntime extends Runtime {
  /** Lets go of everything: watches, timers, readers. What runs goes on and is found by the next. */
  close(): Promise<void>;
}

/** Opens the folder and takes on what it finds. Fault `unsupported` where there is no /proc. */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<ProcessRuntime> {
  if (!procIsThere())
    throw new Fault("unsupported", "the process runtime needs Linux with /proc", {
      hint: "Run the hub on Linux, or run services as containers.",
    });
  await ensureFolder(options.folder);
  sweepDrafts(options.folder);
  const state = makeState(options);
  await adoptAll(state);
  beginSweeps(state);
  return makeRuntime(state);
}

function makeRuntime(state: State): ProcessRuntime {
  const { held, around, events } = state;
  return {
    name: "process",
    features: { workloads: ["process"], limits: state.cgroups.limits, commands: true, events: true },
    async list(signal) {
      requireOpen(state, signal);
      await adoptAll(state);
      const doubtful = [...held.values()].filter((one) => one.exit === undefined && !leaderLives(one));
      await Promise.all(doubtful.filter((one) => readExit(one.folder) === undefined).map((one) => settle(around, one)));
      return [...held.values()].map(toInstance).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    start: (spec, signal) => startInstance(state, spec, signal),
    async stop(id, graceMs, signal) {
      requireOpen(state, signal);
      const one = held.get(id);
      if (one && one.exit === undefined) await stopInstance(around, one, graceMs, signal);
    },
    async remove(id, signal) {
      requireOpen(state, signal);
      const one = held.get(id);
      if ((one && one.exit === undefined) || state.starting.has(id))
        throw new Fault("conflict", `instance ${id} still runs`, { hint: "Stop it first." });
      if (!idPattern.test(id)) return;
      removeRecord(state.options.folder, id);
      if (!one) return;
      held.delete(id);
      one.removed = true;
      letGo(one);
      events.send({ kind: "removed", id });
    },
    async *logs(id, options, signal) {
      requireOpen(state);
      const one = held.get(id);
      if (!one) throw new Fault("missing", `there is no instance ${id}`);
      yield* readLog(toLogSource(state, one), options, signal);
    },
    async stats(ids, signal) {
      requireOpen(state, signal);
      const known = ids.map((id) => held.get(id)).filter((one) => one !== undefined);
      const running = known.filter((one) => one.exit === undefined);
      return measureUse(around, running);
    },
    async run(id, argv, timeoutMs, signal) {
      requireOpen(state, signal);
      const one = held.get(id);
      if (!one || one.exit !== undefined) throw new Fault("missing", `there is no running instance ${id}`);
      return runInside(around, one, argv, timeoutMs, signal);
    },
    watch: (signal) => events.read(signal),
    async close() {
      if (state.closing.signal.aborted) return;
      state.closing.abort(new Fault("conflict", "the process runtime is closed"));
      for (const one of held.values()) {
        one.watcher?.close();
        letGo(one);
      }
      events.close();
    },
  };
}

/** Sweeps again and again until the runtime is closed. */
function beginSweeps(state: State): void {
  let timer: Timer;
  const sweepLater = () => {
    timer = state.around.clock.after(sweepEveryMs, () => {
      for (const one of state.held.values()) if (one.exit === undefined) sweep(state, one);
      sweepLater();
    });
  };
  state.closing.signal.addEventListener("abort", () => timer.cancel(), { once: true });
  sweepLater();
}

function sweep(state: State, one: Held): void {
  if (!leaderLives(one)) void settle(state.around, one);
  trimOutput(state, one);
}

function toLogSource(state: State, one: Held): LogSource {
  return {
    id: one.record.id,
    output: one.output,
    ended: () => one.exit !== undefined || one.removed || state.closing.signal.aborted,
    onEnd(wake: () => void) {
      one.enders.add(wake);
      return () => void one.enders.delete(wake);
    },
  };
}

const leaderLives = (one: Held) => one.leader !== undefined && isAlive(one.leader);
