import {
  type HealthDocument,
  hashText,
  type LabDocument,
  parseDuration,
  parseSize,
  type RunDocument,
  type ServiceDocument,
  valueIn,
  volumeVariable,
} from "@fed/lab";
import type { CheckContract } from "#hub/check/check.ts";
import type { InstanceLimits, Workload } from "#port/runtime.ts";

/** What a variable of a service's environment is made from. Secrets stay names here. */
export type EnvironmentSource =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "secret"; readonly name: string };

/** A place where a service keeps data. */
export interface VolumePlace {
  readonly name: string;
  /** The variable in which a process finds the folder. */
  readonly variable: string;
  /** An absolute path on the machine; undefined: fed keeps the folder. */
  readonly host: string | undefined;
}

/** One service in one environment with everything decided: what a release is made from. */
export interface ResolvedService {
  /** `environment/service`. */
  readonly key: string;
  readonly lab: string;
  readonly environment: string;
  readonly service: string;
  readonly machine: string;
  readonly workload: Workload;
  readonly variables: Readonly<Record<string, EnvironmentSource>>;
  readonly volumes: readonly VolumePlace[];
  /** A fixed port of the machine; otherwise one is handed out. */
  readonly port: number | undefined;
  readonly replicas: number;
  readonly contract: CheckContract;
  /** Host name at the ingress. */
  readonly route: string | undefined;
  /** The port of loopback at which the lab's other services find it. */
  readonly door: { readonly port: number; readonly protocol: "http" | "tcp" } | undefined;
  readonly stopGraceMs: number;
  readonly limits: InstanceLimits;
  /** Keys of the services that must be healthy first. */
  readonly needs: readonly string[];
  /** Why old and new can't run side by side. */
  readonly stopFirst: string | undefined;
  /** Why this hub can't run it, in plain words. */
  readonly unsupported: string | undefined;
  /** The parts that make an instance what it is, by field, as canonical text. */
  readonly fields: Readonly<Record<string, string>>;
  /** Hash of `fields`. */
  readonly spec: string;
}

/** What resolving needs to know besides the document. */
export interface Place {
  /** Absolute path of the lab's folder. */
  readonly folder: string;
  /** Kinds of workload the hub's runtime can run. */
  readonly workloads: readonly Workload["kind"][];
  /** The door's port handed out to this service. */
  doorOf(key: string): number;
  /** How often somebody asked for a restart of this service: each makes its instances new ones. */
  restartsOf(key: string): number;
  /** An absolute path from one relative to the lab's folder. */
  absolute(folder: string, relative: string): string;
}

export function keyOf(environment: string, service: string): string {
  return `${environment}/${service}`;
}

/** Keys of the services others refer to by `{ service }`, which therefore need a door. Sorted. */
export function referredServices(document: LabDocument): readonly string[] {
  const keys = new Set<string>();
  for (const environment of Object.keys(document.environments)) {
    for (const [, service] of servicesIn(document, environment)) {
      for (const value of Object.values(service.env ?? {})) {
        const here = valueIn(value, environment);
        if (typeof here === "object" && "service" in here) keys.add(keyOf(environment, here.service));
      }
    }
  }
  return [...keys].sort();
}

/** Every service in every environment it runs in, decided. Pure; sorted by key. */
export function resolveLab(document: LabDocument, place: Place): readonly ResolvedService[] {
  const referred = new Set(referredServices(document));
  const resolved: ResolvedService[] = [];
  for (const environment of Object.keys(document.environments)) {
    for (const [name, service] of servicesIn(document, environment)) {
      resolved.push(resolveService(document, environment, name, service, referred, place));
    }
  }
  return resolved.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function servicesIn(document: LabDocument, environment: string): readonly (readonly [string, ServiceDocument])[] {
  return Object.entries(document.services).filter(([, service]) => service.in?.includes(environment) ?? true);
}

function resolveService(
  document: LabDocument,
  environment: string,
  name: string,
  service: ServiceDocument,
  referred: ReadonlySet<string>,
  place: Place,
): ResolvedService {
  const key = keyOf(environment, name);
  const run = valueIn(service.run, environment);
  const machine = machineOf(document, environment, service);
  const route = valueIn(service.route, environment);
  const port = valueIn(service.port, environment);
  const health = valueIn(service.health, environment);
  const protocol = health?.kind === "http" || route !== undefined ? "http" : "tcp";
  const door = referred.has(key) ? ({ port: place.doorOf(key), protocol } as const) : undefined;
  const { variables, needs } = variablesOf(document, environment, service, place);
  const volumes = Object.entries(service.volumes ?? {}).map(([volume, { host }]) => ({
    name: volume,
    variable: volumeVariable(volume),
    host,
  }));
  const fixedPort = run?.kind === "process" ? port : undefined;
  const memory = valueIn(service.memory, environment);
  const decided = {
    workload: workloadOf(run, place),
    variables,
    volumes,
    port: fixedPort,
    contract: contractOf(health, route !== undefined || door !== undefined || port !== undefined),
    limits: {
      cpu: valueIn(service.cpu, environment),
      memoryBytes: memory === undefined ? undefined : parseSize(memory),
    },
    restarts: place.restartsOf(key),
  };
  const fields = fieldsOf(decided);
  return {
    ...decided,
    key,
    lab: document.name,
    environment,
    service: name,
    machine,
    route,
    door,
    replicas: valueIn(service.replicas, environment) ?? 1,
    stopGraceMs: parseDuration(valueIn(service.stopGrace, environment) ?? "10s"),
    needs: [...new Set([...(service.needs ?? []).map((need) => keyOf(environment, need)), ...needs])].sort(),
    stopFirst: stopFirstOf(fixedPort, volumes),
    unsupported: unsupportedOf(document, machine, run, place),
    fields,
    spec: hashText(JSON.stringify(Object.entries(fields).sort())).slice(0, 16),
  };
}

function machineOf(document: LabDocument, environment: string, service: ServiceDocument): string {
  const on = valueIn(service.on, environment) ?? document.environments[environment]?.machines[0] ?? "";
  return typeof on === "string" ? on : (on[0] ?? "");
}

function workloadOf(run: RunDocument | undefined, place: Place): Workload {
  switch (run?.kind) {
    case "image":
      return { kind: "image", reference: run.reference };
    case "build":
      return {
        kind: "build",
        folder: place.absolute(place.folder, run.folder),
        ...(run.dockerfile === undefined ? {} : { dockerfile: run.dockerfile }),
      };
    default:
      return {
        kind: "process",
        command: run?.command ?? [],
        folder: place.absolute(place.folder, run?.folder ?? "."),
      };
  }
}

function variablesOf(document: LabDocument, environment: string, service: ServiceDocument, place: Place) {
  const variables: Record<string, EnvironmentSource> = {};
  const needs: string[] = [];
  for (const [name, value] of Object.entries(service.env ?? {})) {
    const here = valueIn(value, environment);
    if (here === undefined) continue;
    if (typeof here === "string") variables[name] = { kind: "text", text: here };
    else if ("secret" in here) variables[name] = { kind: "secret", name: here.secret };
    else {
      const key = keyOf(environment, here.service);
      needs.push(key);
      variables[name] = { kind: "text", text: addressOf(document, environment, here.service, place.doorOf(key)) };
    }
  }
  return { variables, needs };
}

/** What `{ service }` becomes: a URL for what speaks HTTP, `host:port` for what does not. */
function addressOf(document: LabDocument, environment: string, name: string, port: number): string {
  const service = document.services[name];
  const http =
    valueIn(service?.health, environment)?.kind === "http" || valueIn(service?.route, environment) !== undefined;
  return http ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`;
}

function contractOf(health: HealthDocument | undefined, listens: boolean): CheckContract {
  const timing = {
    everyMs: parseDuration(health?.every ?? "1s"),
    timeoutMs: parseDuration(health?.timeout ?? "5s"),
    withinMs: parseDuration(health?.within ?? "60s"),
  };
  switch (health?.kind) {
    case "http":
      return { ask: { kind: "http", path: health.path }, ...timing };
    case "command":
      return { ask: { kind: "command", command: health.command }, ...timing };
    case "tcp":
      return { ask: { kind: "tcp" }, ...timing };
    default:
      return { ask: { kind: listens ? "tcp" : "running" }, ...timing };
  }
}

function stopFirstOf(port: number | undefined, volumes: readonly VolumePlace[]): string | undefined {
  if (port !== undefined) return `it listens on port ${port} of the machine, which only one instance can have`;
  const [volume] = volumes;
  if (volume) return `it keeps data in volume "${volume.name}", which only one instance may write`;
  return undefined;
}

function unsupportedOf(document: LabDocument, machine: string, run: RunDocument | undefined, place: Place) {
  const spec = document.machines[machine];
  if (spec?.kind !== "server" || spec.address !== "local") {
    return `it belongs on ${machine}, and this version of fed runs services on its own machine only`;
  }
  if (run && !place.workloads.includes(run.kind)) {
    return `it runs from ${run.kind === "image" ? "an image" : "a build"}, and this version of fed runs processes only`;
  }
  return undefined;
}

function fieldsOf(parts: {
  readonly workload: Workload;
  readonly variables: Readonly<Record<string, EnvironmentSource>>;
  readonly volumes: readonly VolumePlace[];
  readonly port: number | undefined;
  readonly contract: CheckContract;
  readonly limits: InstanceLimits;
  readonly restarts: number;
}): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {
    run: JSON.stringify(parts.workload),
    health: JSON.stringify(parts.contract),
  };
  for (const [name, source] of Object.entries(parts.variables)) fields[`env.${name}`] = JSON.stringify(source);
  for (const volume of parts.volumes) fields[`volumes.${volume.name}`] = JSON.stringify(volume.host ?? null);
  if (parts.restarts > 0) fields.restart = String(parts.restarts);
  if (parts.port !== undefined) fields.port = String(parts.port);
  if (parts.limits.cpu !== undefined) fields.cpu = String(parts.limits.cpu);
  if (parts.limits.memoryBytes !== undefined) fields.memory = String(parts.limits.memoryBytes);
  return fields;
}
