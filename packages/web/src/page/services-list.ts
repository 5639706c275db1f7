import type { HubStatus, InstanceStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { countText } from "../view/format.ts";

export interface EnvironmentGroup {
  readonly environment: string;
  readonly services: readonly ServiceStatus[];
  /** Of them so many are healthy. */
  readonly healthy: number;
}

/** The services by environment, in the order of the lab; of those that `sought` is in the name, machine or state. Pure. */
export function groupServices(status: HubStatus, sought = ""): readonly EnvironmentGroup[] {
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const meant = ({ environment, service, machine, state }: ServiceStatus) => {
    const text = `${environment}/${service} ${machine} ${state}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  // A service that is being removed may be in an environment that the lab no longer has.
  const environments = [...new Set([...status.environments, ...status.services.map((one) => one.environment)])];
  return environments.flatMap((environment) => {
    const services = status.services
      .filter((one) => one.environment === environment && meant(one))
      .sort((a, b) => a.service.localeCompare(b.service));
    if (services.length === 0) return [];
    return [{ environment, services, healthy: services.filter(({ state }) => state === "healthy").length }];
  });
}

/** When its youngest running instance began; undefined when nothing runs. */
export function runningSince({ instances }: Pick<ServiceStatus, "instances">): number | undefined {
  const starts = instances.filter(({ state }) => state === "running").map(({ startedMs }) => startedMs);
  return starts.length === 0 ? undefined : Math.max(...starts);
}

/** What runs first, in the order of replicas; then what ended, the last first. */
export function orderInstances(instances: readonly InstanceStatus[]): readonly InstanceStatus[] {
  return [...instances].sort((a, b) => {
    if (a.state !== b.state) return a.state === "running" ? -1 : 1;
    return a.state === "running" ? a.replica - b.replica || b.startedMs - a.startedMs : b.startedMs - a.startedMs;
  });
}

/** Why it is in its state, or "". While it starts again, why it had to is still what people want to know. Pure. */
export function reasonOf(service: Pick<ServiceStatus, "state" | "detail" | "crashes" | "instances">): string {
  const { state, detail, crashes, instances } = service;
  if (detail !== "" || state !== "starting" || crashes === 0) return detail;
  const last = orderInstances(instances).find((one) => one.state === "exited");
  return `after ${countText(crashes, "failure")}${last?.exit === undefined ? "" : `; the last: ${last.exit}`}`;
}
