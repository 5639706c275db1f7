import type { Clock } from "#base/clock.ts";
import type { ObservedInstance } from "#engine/reconcile/plan.ts";

/** How instances that take over, and those that stand by for them, do. Known to this hub alone: the next one begins anew. */
export interface Trials {
  /** Whether it is healthy and routed now. */
  note(id: string, serves: boolean): void;
  /** Its open requests were given their time. */
  drained(id: string): void;
  /** It gets requests from now on. */
  routed(id: string): void;
  of(id: string): Pick<ObservedInstance, "servesSinceMs" | "drained">;
  forget(id: string): void;
}

export function makeTrials(clock: Clock): Trials {
  const servesSince = new Map<string, number>();
  const drained = new Set<string>();
  return {
    note(id, serves) {
      if (!serves) servesSince.delete(id);
      else if (!servesSince.has(id)) servesSince.set(id, clock.nowMs());
    },
    drained: (id) => void drained.add(id),
    routed: (id) => void drained.delete(id),
    of: (id) => ({ servesSinceMs: servesSince.get(id), drained: drained.has(id) }),
    forget(id) {
      servesSince.delete(id);
      drained.delete(id);
    },
  };
}
