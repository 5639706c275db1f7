import { childController } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import type { ProbeOutcome } from "./probe.ts";

/** The reason when the limit was over, the same for every adapter. */
export function lateReason(timeoutMs: number): string {
  return `no answer within ${timeoutMs / 1_000} s`;
}

/** The host is there, and nothing listens. */
export const refused = { kind: "unhealthy", reason: "connection refused", refused: true } as const;

/**
 * Asks once within the limit, as every probe must. `ask` answers undefined when all is well, else the reason; when its
 * signal aborts it rejects with the signal's reason once what it began is gone, and is waited for.
 */
export async function probeWithin(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<string | typeof refused | undefined>,
): Promise<ProbeOutcome> {
  signal.throwIfAborted();
  const startedMs = clock.tickMs();
  const late: ProbeOutcome = { kind: "unhealthy", reason: lateReason(timeoutMs) };
  const { controller, release } = childController(signal);
  const timer = clock.after(timeoutMs, () => controller.abort(late));
  try {
    const trouble = await ask(controller.signal);
    if (trouble === undefined) return { kind: "healthy", tookMs: clock.tickMs() - startedMs };
    return typeof trouble === "string" ? { kind: "unhealthy", reason: trouble } : trouble;
  } catch (thrown) {
    if (thrown === late) return late;
    throw thrown;
  } finally {
    timer.cancel();
    release();
  }
}
