import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Ingress, IngressRoute } from "./ingress.ts";

/** An ingress in memory: it forwards nothing, remembers every switch, and what is in flight is set by hand. */
export interface FakeIngress extends Ingress {
  /** The routes of each acknowledged switch, in order. */
  readonly applied: readonly (readonly IngressRoute[])[];
  /** Instances whose drain ended, in order, however it ended. */
  readonly drained: readonly string[];
  /** Ports another program has: a door there is a conflict. */
  readonly takenPorts: Set<number>;
  /** So many are in flight to the instance now; 0 lets its drain end. */
  setInFlight(instance: string, count: number): void;
}

export function makeFakeIngress(clock: Clock): FakeIngress {
  const applied: (readonly IngressRoute[])[] = [];
  const drained: string[] = [];
  const takenPorts = new Set<number>();
  const inFlight = new Map<string, number>();
  const waiting = new Set<() => void>();
  const routes = () => applied.at(-1) ?? [];

  function refuseConflicts(wanted: readonly IngressRoute[]): void {
    const claimed = new Set<string | number>();
    for (const { match, service } of wanted) {
      const key = match.kind === "host" ? match.host.toLowerCase() : match.port;
      if (claimed.has(key)) throw new Fault("conflict", `${service} claims ${key}, which another route has`);
      if (match.kind === "door" && takenPorts.has(match.port)) {
        throw new Fault("conflict", `port ${match.port}, for the door of ${service}, is in use by another program`);
      }
      claimed.add(key);
    }
  }

  return {
    name: "fake",
    features: { tcpDoors: true, webSocket: true, http2: false, tls: [] },
    applied,
    drained,
    takenPorts,
    setInFlight(instance, count) {
      if (count > 0) inFlight.set(instance, count);
      else inFlight.delete(instance);
      for (const look of [...waiting]) look();
    },
    async apply(wanted, signal) {
      signal.throwIfAborted();
      refuseConflicts(wanted);
      applied.push(wanted);
      return { generation: applied.length };
    },
    async drain(instance, deadlineMs, signal) {
      if (routes().some(({ targets }) => targets.some((target) => target.instance === instance))) {
        throw new Fault("conflict", `instance ${instance} is still a target and cannot be drained`);
      }
      let look = () => {};
      const settled = new Promise<number>((resolve) => {
        const timer = clock.after(deadlineMs, () => resolve(inFlight.get(instance) ?? 0));
        look = () => {
          if (inFlight.has(instance)) return;
          timer.cancel();
          resolve(0);
        };
        waiting.add(look);
        look();
      });
      try {
        const left = await untilAborted(settled, signal);
        drained.push(instance);
        inFlight.delete(instance);
        return left === 0 ? { kind: "drained" } : { kind: "deadline", inFlight: left };
      } finally {
        waiting.delete(look);
      }
    },
    async status() {
      return { generation: applied.length, routes: routes(), inFlight: Object.fromEntries(inFlight) };
    },
  };
}
