import { statfs } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";

/** Of the disk that a folder is on. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

/** Whether the disk has room for samples. */
export interface Room {
  /** Looks when it is time to, and does not wait for it: who writes is not kept waiting while there was room the last time. */
  glance(): void;
  /** Waits for a look that is under way. Fault `unreachable` while there is too little room. */
  require(): Promise<void>;
  /** What the last look found. */
  readonly fault: Fault | undefined;
}

/** What is left for those who keep their wishes on the same disk; of a small disk a hundredth. */
const keptBytes = 64 * 2 ** 20;
const keptShare = 0.01;
/** In so long no disk of a lab fills by what is kept free. */
const everyMs = 5_000;
const fullEveryMs = 500;

export function roomOf(folder: string, clock: Clock, measure: (folder: string) => Promise<DiskSpace> = spaceOf): Room {
  let lookedMs = -Infinity;
  let fault: Fault | undefined;
  let looking: Promise<void> | undefined;
  const look = async () => {
    const { freeBytes, sizeBytes } = await measure(folder);
    const wantedBytes = Math.min(keptBytes, sizeBytes * keptShare);
    fault = freeBytes < wantedBytes ? tooLittle(folder, freeBytes, wantedBytes) : undefined;
  };
  return {
    get fault() {
      return fault;
    },
    glance() {
      const nowMs = clock.tickMs();
      if (looking !== undefined || nowMs - lookedMs < (fault === undefined ? everyMs : fullEveryMs)) return;
      lookedMs = nowMs;
      // A disk that does not tell is not known to be full: writing will show.
      looking = look()
        .catch(() => {})
        .finally(() => {
          looking = undefined;
        });
    },
    async require() {
      await looking;
      if (fault !== undefined) throw fault;
    },
  };
}

async function spaceOf(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

function tooLittle(folder: string, freeBytes: number, wantedBytes: number): Fault {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
  const message = `the disk of ${folder} has ${mib(freeBytes)} left: no samples are taken until it has ${mib(wantedBytes)}`;
  return new Fault("unreachable", message, {
    hint: "Free some space (df -h), or keep metrics for a shorter time. What is kept already is answered meanwhile.",
  });
}
