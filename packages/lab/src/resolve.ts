/** What a document says about one service in one environment: the defaults and rules of the language, in one place. */

import type { LabDocument, MachineDocument, ServiceDocument } from "./document.ts";
import { valueIn } from "./per-environment.ts";
import { parseDuration } from "./unit.ts";

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Names of the environments a service runs in, in the order of the lab. Empty when there is no such service. */
export function environmentsOf(lab: LabDocument, service: string): readonly string[] {
  const document = own(lab.services, service);
  if (document === undefined) return [];
  const only = document.in;
  return Object.keys(lab.environments).filter((environment) => only === undefined || only.includes(environment));
}

/** Names of the machines a service runs on in an environment: its `on`, else the environment's first. */
export function machinesOf(lab: LabDocument, service: string, environment: string): readonly string[] {
  const on = valueIn<string | readonly string[]>(own(lab.services, service)?.on, environment);
  if (on !== undefined) return typeof on === "string" ? [on] : on;
  return own(lab.environments, environment)?.machines.slice(0, 1) ?? [];
}

/**
 * Names of the services that must be healthy before this one starts in an environment: its `needs` and those its
 * variables refer to there. Itself is never among them (a variable may hold its own address).
 */
export function needsOf(service: string, document: ServiceDocument, environment: string): readonly string[] {
  const names = new Set(document.needs ?? []);
  for (const variable of Object.values(document.env ?? {})) {
    const value = valueIn(variable, environment);
    if (typeof value === "object" && "service" in value) names.add(value.service);
  }
  names.delete(service);
  return [...names];
}

/** The machine itself, whatever it is called: two names with the same identity share their ports. */
export function identityOf(machine: MachineDocument, name: string): string {
  const address = (
    machine.address ??
    (machine.kind === "workstation" ? machine.tailscale : undefined) ??
    name
  ).toLowerCase();
  if (["local", "localhost", "127.0.0.1", "::1"].includes(address)) return "local";
  return machine.port === undefined || machine.port === 22 ? address : `${address} ssh ${machine.port}`;
}

/** Between two looks at a machine. */
export function intervalOf(machine: Pick<MachineDocument, "every">): number {
  return parseDuration(machine.every ?? "10s");
}

const usualTimeoutMs = 10_000;

/** How often an exporter of a machine is scraped, and how long that may take. */
export function scrapeTimes(
  machine: MachineDocument,
  exporter: string,
): { readonly everyMs: number; readonly timeoutMs: number } {
  const { every, timeout } = own(machine.exporters ?? {}, exporter) ?? {};
  const everyMs = every === undefined ? intervalOf(machine) : parseDuration(every);
  return { everyMs, timeoutMs: timeout === undefined ? Math.min(usualTimeoutMs, everyMs) : parseDuration(timeout) };
}

/** The variable in which a process finds the folder of a volume: `my-data` is in `VOLUME_MY_DATA`. */
export function volumeVariable(volume: string): string {
  return `VOLUME_${volume.toUpperCase().replaceAll("-", "_")}`;
}
