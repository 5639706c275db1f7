/** What the processes of an instance use, by /proc (Linux, proc(5)). */

import { readFileSync } from "node:fs";
import type { InstanceUse } from "#port/runtime.ts";
import { findMembers, type Held, type Surroundings } from "./instance.ts";

/** The kernel tells times to programs in this unit on every architecture that Node runs on. */
const ticksPerSecond = 100;

export async function measureUse(around: Surroundings, held: readonly Held[]): Promise<readonly InstanceUse[]> {
  const uses = await Promise.all(
    held.map(async (one) => {
      const parts = (await findMembers(around, one)).map(({ pid }) => readUse(pid));
      return {
        id: one.record.id,
        cpuSeconds: parts.reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond,
        memoryBytes: parts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      };
    }),
  );
  return uses.filter((_, index) => held[index]?.exit === undefined);
}

/** Of one process, with the time of its children that have ended; nothing when it is gone. */
function readUse(pid: number): { readonly ticks: number; readonly memoryBytes: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = words.slice(11, 15).reduce((sum, word) => sum + Number(word), 0);
    const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return { ticks, memoryBytes: Number(kibibytes ?? 0) * 1024 };
  } catch {
    return { ticks: 0, memoryBytes: 0 };
  }
}
