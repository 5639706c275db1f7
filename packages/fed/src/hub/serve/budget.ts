import type { Clock } from "#base/clock.ts";
import type { Trace, TraceEntry } from "#base/trace.ts";

const minuteMs = 60_000;

/**
 * The same diary with so many warnings and errors a minute at most: who can make requests fail must not fill the disk with
 * what is told of them. What is left out is counted, and the count told with the next one.
 */
export function budgetTrace(trace: Trace, clock: Clock, aMinute: number): Trace {
  let beganMs = Number.NEGATIVE_INFINITY;
  let told = 0;
  let kept = 0;
  const within = (tell: Trace["error"]) => (message: string, facts?: TraceEntry["facts"]) => {
    if (clock.tickMs() - beganMs >= minuteMs) {
      if (kept > 0) trace.warn("more failed than was told", { count: kept });
      beganMs = clock.tickMs();
      told = kept = 0;
    }
    told++;
    if (told <= aMinute) return tell(message, facts);
    if (kept === 0) trace.warn("more fails than is told: for up to a minute it is only counted", { told: aMinute });
    kept++;
  };
  return { ...trace, warn: within(trace.warn), error: within(trace.error) };
}
