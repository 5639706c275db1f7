import { type Clock, withDeadline } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { KeptLogs } from "#hub/log/verbs.ts";
import type { Exit, Instance } from "#port/runtime.ts";
import { exitText } from "./exit.ts";
import type { Sites } from "./sites.ts";

export interface KeepNeeds {
  readonly sites: Pick<Sites, "logs">;
  readonly logs: Pick<KeptLogs, "keep">;
  readonly clock: Clock;
  readonly trace: Trace;
}

/** For 10 MB over a slow line. */
const keepMs = 60_000;

/** Keeps what an ended instance wrote, before its runtime forgets it. What cannot be kept is no reason to let it lie around. */
export async function keepOutput(
  needs: KeepNeeds,
  instance: Instance,
  asked: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock, trace } = needs;
  const { id, labels, startedMs, exit } = instance;
  const ended = {
    ...{ instance: id, environment: labels.environment, service: labels.service, release: labels.release, startedMs },
    ...{ endedMs: exit?.atMs ?? clock.nowMs(), exit: endText(exit, asked) },
  };
  const keep = (inner: AbortSignal) => needs.logs.keep(ended, needs.sites.logs(id, {}, inner), inner);
  try {
    await withDeadline(clock, keepMs, `the output of ${id}`, keep, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    trace.warn("the output of an instance is lost", { instance: id, reason: toFault(thrown).message });
  }
}

function endText(exit: Exit | undefined, asked: boolean): string {
  const text = exit === undefined ? "" : exitText(exit);
  if (!asked) return text;
  return text === "" ? "stopped" : `stopped: ${text}`;
}
