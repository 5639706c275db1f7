/** For tests: a folder of instances, the runtimes over it, and an end for whatever a test leaves running. */

import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/clock.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import type { InstanceSpec } from "#port/runtime.ts";
import { listProcesses, type ProcessRow, writesTo } from "./proc.ts";
import { openProcessRuntime, type ProcessRuntime } from "./runtime.ts";

const labels = { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 0 };

export interface Scene {
  /** A temporary folder; instances are in `instances` below. */
  readonly root: string;
  readonly instances: string;
  /** What the runtimes wrote into the diary. */
  readonly diary: TraceEntry[];
  /** Opens a runtime, closing the one before. */
  open(clock?: Clock): Promise<ProcessRuntime>;
  /** An id nobody else has: tests that run at once on one machine must not meet. */
  readonly id: string;
  /** Of an instance that runs the script in the shell; the scene's id when left out. */
  shell(script: string, more?: Partial<InstanceSpec>): InstanceSpec;
  /** All that runs of the instance, found by /proc alone. */
  running(id?: string): Promise<readonly ProcessRow[]>;
  close(): Promise<void>;
}

export function makeScene(): Scene {
  const root = mkdtempSync(join(tmpdir(), "fed-process-"));
  const instances = join(root, "instances");
  const id = `ins_${randomUUID().slice(0, 8)}`;
  const diary: TraceEntry[] = [];
  const trace = makeTrace(
    () => 0,
    "debug",
    (entry) => diary.push(entry),
  );
  let opened: ProcessRuntime | undefined;
  const findAll = async (ids: readonly string[]) => {
    const outputs = ids.map((id) => join(instances, id, "log", "output"));
    return (await listProcesses()).filter(
      (row) =>
        (row.instance !== undefined && ids.includes(row.instance)) || outputs.some((path) => writesTo(row.pid, path)),
    );
  };
  const known = new Set<string>();
  return {
    root,
    instances,
    diary,
    async open(clock = systemClock) {
      await opened?.close();
      opened = await openProcessRuntime({ folder: instances, clock, trace, inherit: { PATH: "/usr/bin:/bin" } });
      return opened;
    },
    id,
    shell(script, more = {}) {
      known.add(more.id ?? id);
      const workload = { kind: "process", command: ["sh", "-c", script], folder: root } as const;
      return { id, labels, workload, environment: {}, limits: {}, ...more };
    },
    running: (one = id) => findAll([one]),
    async close() {
      await opened?.close();
      const ids = [...known, ...readdirSync(instances)];
      for (let rows = await findAll(ids); rows.length > 0; rows = await findAll(ids)) for (const row of rows) end(row);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** All that is written below the folder, in one text. */
export function readAll(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

function end({ pid }: ProcessRow): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
