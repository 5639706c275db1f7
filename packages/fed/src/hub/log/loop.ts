import type { KeptLogs } from "./verbs.ts";

/** Removes output of instances that went long ago, and what a hub that was killed has left. */
export function logSweepLoop(logs: Pick<KeptLogs, "sweep">) {
  return {
    ...{ name: "log.sweep", intervalMs: 3_600_000, jitter: 0.1, timeoutMs: 60_000, immediately: true },
    run: () => logs.sweep(),
  };
}
