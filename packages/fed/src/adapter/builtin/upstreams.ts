import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import type { RouteTarget } from "#port/ingress.ts";
import { Upstream } from "./upstream.ts";

/** Every upstream that is a target or still has something in flight: one per instance and address, shared by its routes. */
export interface Upstreams {
  of(target: RouteTarget): Upstream;
  /** Lets go of the connections of the others, and forgets each once nothing is in flight to it. */
  retireAllBut(kept: readonly Upstream[]): void;
  /** Waits until nothing is in flight to the instance, then 0; at the deadline cuts off what is left and says how much. */
  drain(instance: string, clock: Clock, deadlineMs: number, signal: AbortSignal): Promise<number>;
  inFlight(): Record<string, number>;
  /** Resolves once nothing is in flight to any of those there are now. */
  whenIdle(): Promise<void>;
  /** Cuts off everything. */
  cut(): void;
}

export function makeUpstreams(): Upstreams {
  const all = new Map<string, Upstream>();
  /** Those on their way out, with what forgets that they are. */
  const leaving = new Map<Upstream, () => void>();
  const keyOf = ({ instance, host, port }: RouteTarget) => `${instance} ${host} ${port}`;

  function retire(upstream: Upstream): void {
    upstream.letGo();
    if (leaving.has(upstream)) return;
    leaving.set(upstream, () => {});
    const stay = upstream.whenIdle(() => {
      leaving.delete(upstream);
      all.delete(keyOf(upstream.target));
    });
    if (leaving.has(upstream)) leaving.set(upstream, stay);
  }

  return {
    of(target) {
      const known = all.get(keyOf(target));
      if (known) return known;
      const upstream = new Upstream(target);
      all.set(keyOf(target), upstream);
      return upstream;
    },
    retireAllBut(kept) {
      const staying = new Set(kept);
      for (const upstream of [...all.values()]) {
        if (!staying.has(upstream)) retire(upstream);
        else {
          leaving.get(upstream)?.();
          leaving.delete(upstream);
        }
      }
    },
    async drain(instance, clock, deadlineMs, signal) {
      const busy = [...all.values()].filter((one) => one.target.instance === instance && one.inFlight > 0);
      const count = () => busy.reduce((sum, one) => sum + one.inFlight, 0);
      if (count() === 0) return 0;
      const forget: (() => void)[] = [];
      const settled = new Promise<void>((resolve) => {
        const look = () => void (count() === 0 && resolve());
        for (const upstream of busy) forget.push(upstream.whenIdle(look));
        const timer = clock.after(deadlineMs, resolve);
        forget.push(timer.cancel);
      });
      try {
        await untilAborted(settled, signal);
      } finally {
        for (const undo of forget) undo();
      }
      const left = count();
      for (const upstream of busy) upstream.cut();
      return left;
    },
    inFlight() {
      const counts: Record<string, number> = {};
      for (const { target, inFlight } of all.values()) {
        if (inFlight > 0) counts[target.instance] = (counts[target.instance] ?? 0) + inFlight;
      }
      return counts;
    },
    async whenIdle() {
      await Promise.all([...all.values()].map((one) => new Promise<void>((resolve) => one.whenIdle(resolve))));
    },
    cut() {
      for (const upstream of all.values()) upstream.cut();
    },
  };
}
