import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Fault } from "#base/fault.ts";
import { damageFault, markDamaged } from "./damage.ts";

/**
 * Checks the whole database, its indexes too, soon after the start and each day: a disk that goes bad shows while there is still
 * a copy from before. `onDamage` hears of it with what to do, and should end all writing.
 */
export function checkLoop(path: string, nowMs: () => number, onDamage: (fault: Fault) => void) {
  return {
    name: "db.check",
    intervalMs: 24 * 3_600_000,
    jitter: 0.1,
    timeoutMs: 600_000,
    immediately: true,
    async run(signal: AbortSignal) {
      const damage = await findDamageApart(path, signal);
      if (damage === undefined) return;
      const fault = damageFault(path, damage, nowMs(), "What runs goes on, and nothing is written to it any more.");
      markDamaged(path);
      onDamage(fault);
      throw fault;
    },
  };
}

const program = fileURLToPath(new URL("./check-process.ts", import.meta.url));

/** In a process of its own: a thread would leave the hub 18 MB larger for good. */
async function findDamageApart(path: string, signal: AbortSignal): Promise<string | undefined> {
  const options = { signal, killSignal: "SIGKILL", env: {}, maxBuffer: 65_536 } as const;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, path], options);
    const { damage }: { damage?: string } = JSON.parse(stdout);
    return damage;
  } catch (thrown) {
    signal.throwIfAborted();
    throw new Fault("internal", `the check of ${path} did not run to its end`, { cause: thrown });
  }
}
