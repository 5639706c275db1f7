import { join } from "node:path";
import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { ensureFolder } from "#disk/folder.ts";
import type { Instance, InstanceSpec, Runtime, RuntimeEvent, Workload } from "#port/runtime.ts";
import { type CgroupRoot, createCgroup, openCgroups } from "./cgroup.ts";
import { findCommand, requireFolder } from "./command.ts";
import { openPortBook, type PortRange } from "./free-port.ts";
import { sharedLook } from "./group.ts";
import { Life, type LifeNeeds } from "./life.ts";
import { readLog } from "./log.ts";
import { bootId, procIsThere } from "./proc.ts";
import { createRecord, idPattern, listRecords, readRecord, removeRecord, sweepDrafts } from "./record.ts";

export interface ProcessRuntimeOptions {
  /** Holds a folder per instance. */
  readonly folder: string;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Variables every instance gets; nothing else of the hub's environment reaches one. */
  readonly inherit: Readonly<Record<string, string>>;
  /** Ports handed out; 20000 to 29999 when left out. */
  readonly portRange?: PortRange | undefined;
}

export interface ProcessRuntime extends Runtime {
  /** Stops watching. What runs goes on, for the next hub to adopt. */
  close(): Promise<void>;
}

const host = "127.0.0.1";
/** Events waiting for one reader; the oldest are given up for one who does not keep pace. */
const queueLimit = 10_000;

/** Runs services as processes of this machine. They outlive the hub; the next one finds them by their folders and /proc. */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<ProcessRuntime> {
  const { folder, clock, trace } = options;
  if (!procIsThere()) {
    throw new Fault("unsupported", "running services as processes needs Linux with /proc", {
      hint: "Run the hub on Linux.",
    });
  }
  await ensureFolder(folder);
  sweepDrafts(folder);
  const [first, last] = options.portRange ?? [20_000, 29_999];
  const ports = openPortBook([first, last], Math.floor(Math.random() * (last - first)));
  const cgroups = openCgroups();
  const events = makeBroadcast<RuntimeEvent>(queueLimit);
  const lives = new Map<string, Life>();
  /** Ids whose start has begun and has no folder yet. */
  const starting = new Set<string>();
  const boot = bootId();
  const needs: LifeNeeds = {
    clock,
    boot,
    look: sharedLook(),
    onEnd({ record }, exit) {
      ports.release(record.address.port, record.id);
      events.send({ kind: "exited", id: record.id, exit });
    },
  };
  await adoptAll(folder, needs, lives, trace);
  for (const { record, exit } of lives.values()) if (!exit) ports.hold(record.address.port, record.id);
  const warnOfLimits = makeLimitWarning(cgroups, trace);

  const find = (id: string): Life => {
    const life = lives.get(id);
    if (!life) throw new Fault("missing", `there is no instance ${id}`);
    return life;
  };

  async function start(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    const { id, labels } = spec;
    const workload = processOf(spec.workload);
    if (!idPattern.test(id)) throw new Fault("invalid", `${JSON.stringify(id)} cannot be the id of an instance`);
    if (lives.has(id) || starting.has(id)) throw new Fault("conflict", `there is an instance ${id} already`);
    requireFolder(workload.folder);
    const base = { ...options.inherit, ...spec.environment };
    const [name = "", ...rest] = workload.command;
    const file = findCommand(name, workload.folder, base.PATH ?? "");
    starting.add(id);
    const port = await ports.take(spec.port, id, signal).finally(() => starting.delete(id));
    try {
      warnOfLimits(spec);
      const cgroup = createCgroup(cgroups, id, spec.limits);
      const record = { id, labels, address: { host, port }, startedMs: clock.nowMs(), boot, cgroup };
      const life = new Life(createRecord(folder, record), record, needs);
      lives.set(id, life);
      const { service, environment } = labels;
      const own = {
        PORT: String(port),
        HOST: host,
        FED_INSTANCE: id,
        FED_SERVICE: service,
        FED_ENVIRONMENT: environment,
      };
      await life.spawn({ command: [file, ...rest], folder: workload.folder, environment: { ...base, ...own } });
      events.send({ kind: "started", id });
      return instanceOf(life);
    } catch (thrown) {
      ports.release(port, id);
      lives.delete(id);
      removeRecord(folder, id);
      if (thrown instanceof Fault) throw thrown;
      throw new Fault("internal", `${labels.service} could not be started`, { cause: thrown });
    }
  }

  return {
    name: "process",
    features: { workloads: ["process"], limits: cgroups.limits },
    async list() {
      await Promise.all([...lives.values()].map((life) => life.verify()));
      return [...lives.values()].map(instanceOf).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    start,
    async stop(id, graceMs, signal) {
      const life = lives.get(id);
      if (life && !life.exit) await life.stop(graceMs, signal);
    },
    async remove(id) {
      const life = lives.get(id);
      if (!life) return;
      if (!life.exit) throw new Fault("conflict", `instance ${id} still runs`, { hint: "Stop it first." });
      life.close();
      lives.delete(id);
      removeRecord(folder, id);
      events.send({ kind: "removed", id });
    },
    async *logs(id, logOptions, signal) {
      const life = find(id);
      const { output } = life;
      const source = {
        id,
        output,
        ended: () => life.exit !== undefined,
        onEnd: (wake: () => void) => life.onEnd(wake),
      };
      yield* readLog(source, logOptions, signal);
    },
    watch: (signal) => events.read(signal),
    async close() {
      for (const life of lives.values()) life.close();
      events.close();
    },
  };
}

async function adoptAll(folder: string, needs: LifeNeeds, lives: Map<string, Life>, trace: Trace): Promise<void> {
  for (const id of listRecords(folder)) {
    const record = readRecord(folder, id);
    if ("problem" in record) {
      trace.warn("an instance's record cannot be read; it is left alone", { instance: id, problem: record.problem });
      continue;
    }
    lives.set(id, new Life(join(folder, id), record, needs));
  }
  await Promise.all([...lives.values()].map((life) => life.adopt()));
}

function instanceOf({ record, exit, pid }: Life): Instance {
  const { id, labels, address, startedMs } = record;
  return { id, labels, address, startedMs, state: exit ? "exited" : "running", pid: exit ? undefined : pid, exit };
}

function processOf(workload: Workload): Extract<Workload, { kind: "process" }> {
  if (workload.kind === "process") return workload;
  throw new Fault(
    "unsupported",
    `the process runtime cannot run ${workload.kind === "image" ? "an image" : "a build"}`,
    {
      hint: 'Use process("…") for this service.',
    },
  );
}

/** Says once which limits are not kept here. */
function makeLimitWarning(cgroups: CgroupRoot, trace: Trace): (spec: InstanceSpec) => void {
  let told = false;
  return ({ limits, labels }) => {
    const cpu = limits.cpu !== undefined && !cgroups.limits.cpu;
    const memory = limits.memoryBytes !== undefined && !cgroups.limits.memory;
    if (told || !(cpu || memory)) return;
    told = true;
    trace.warn("limits are not enforced here: this user may not make control groups", {
      service: labels.service,
      cpu,
      memory,
    });
  };
}
