import type { Hold } from "#engine/reconcile/plan.ts";
import { holdReason } from "#engine/reconcile/reason.ts";
import type { CheckState } from "#hub/check/check.ts";
import type { Instance } from "#port/runtime.ts";
import type { InstanceStatus, ServiceStatus } from "#wire/status.ts";
import { exitText } from "./exit.ts";
import type { WantedService } from "./wanted.ts";

/** One instance with what the hub knows of it. */
export interface Seen {
  readonly instance: Instance;
  readonly check: CheckState;
  readonly routed: boolean;
}

export interface StatusFacts {
  readonly service: WantedService;
  /** All of this service, of any spec. */
  readonly seen: readonly Seen[];
  readonly hold: Extract<Hold, { readonly kind: "backOff" | "gaveUp" }> | undefined;
  /** Why nobody knows what runs of it. */
  readonly unseen: string | undefined;
  readonly crashes: number;
  readonly nowMs: number;
  /** Nothing is to run any more. */
  readonly leaving: boolean;
  /** Needed services that are not healthy. */
  readonly waitsFor: readonly string[];
  /** Where people reach it. */
  readonly url: string | undefined;
}

/** How a service is, in the words of the outside. Pure. */
export function statusOf(facts: StatusFacts): ServiceStatus {
  const { service, seen } = facts;
  const current = seen.filter(({ instance }) => instance.state === "running" && instance.labels.spec === service.spec);
  const healthy = current.filter(({ check, routed }) => check.health === "healthy" && routed).length;
  return {
    environment: service.environment,
    service: service.service,
    machine: service.machine,
    ...stateOf(facts, current, healthy),
    ...(service.release === undefined ? {} : { release: service.release.number }),
    ...(facts.url === undefined ? {} : { url: facts.url }),
    replicas: { wanted: service.replicas, healthy },
    ...(service.stopped && !facts.leaving ? { stopped: true as const } : {}),
    crashes: facts.crashes,
    instances: seen.map(instanceStatus),
  };
}

function stateOf(
  facts: StatusFacts,
  current: readonly Seen[],
  healthy: number,
): Pick<ServiceStatus, "state" | "detail"> {
  const { service, seen, hold } = facts;
  const older = seen.filter(({ instance }) => instance.state === "running" && instance.labels.spec !== service.spec);
  const others = older.length > 0;
  const standsBy =
    others && older.every(({ instance, routed }) => !routed && instance.labels.spec === service.fallback?.spec);
  const serving = seen.some(({ instance, routed }) => routed && instance.state === "running");
  if (facts.leaving) {
    return { state: seen.some(({ instance }) => instance.state === "running") ? "stopping" : "stopped", detail: "" };
  }
  if (facts.unseen !== undefined)
    return { state: "unknown", detail: `${service.machine} cannot be asked: ${facts.unseen}` };
  if (service.stopped) {
    const running = seen.some(({ instance }) => instance.state === "running");
    return { state: running ? "stopping" : "stopped", detail: "somebody has stopped it" };
  }
  if (service.unsupported !== undefined) return { state: "unsupported", detail: service.unsupported };
  if (healthy >= service.replicas && !others) return { state: "healthy", detail: "" };
  if (healthy >= service.replicas && standsBy)
    return { state: "healthy", detail: "new: the version before it stands by" };
  if (service.held !== undefined) return { state: "waiting", detail: service.held };
  if (hold?.kind === "gaveUp") {
    const earlier = serving && others ? "; the version before it still serves" : "";
    return { state: "gave up", detail: `${holdReason(hold, facts.nowMs)}${earlier}` };
  }
  if (hold) {
    const failures = hold.crashes === 1 ? "1 failure" : `${hold.crashes} failures`;
    return { state: "backing off", detail: `${failures}; the last: ${hold.last ?? "it did not start"}` };
  }
  const sick = current.find(({ check }) => check.health === "unhealthy");
  if (sick) return { state: "unhealthy", detail: sick.check.reason };
  if (current.length === 0 && facts.waitsFor.length > 0)
    return { state: "waiting", detail: `for ${facts.waitsFor.join(", ")}` };
  if (serving && others)
    return { state: "replacing", detail: "the version before it serves until the new one is healthy" };
  const failing = current.find(({ check }) => check.health === "unknown" && check.failures > 0);
  return { state: "starting", detail: failing ? failing.check.reason : "" };
}

function instanceStatus({ instance, check, routed }: Seen): InstanceStatus {
  return {
    id: instance.id,
    replica: instance.labels.replica,
    spec: instance.labels.spec,
    state: instance.state,
    health: check.health,
    routed,
    port: instance.address.port,
    ...(instance.pid === undefined ? {} : { pid: instance.pid }),
    startedMs: instance.startedMs,
    ...(instance.exit === undefined ? {} : { exit: exitText(instance.exit) }),
  };
}
