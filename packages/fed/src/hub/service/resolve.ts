import {
  type HealthDocument,
  hashText,
  type LabDocument,
  parseDuration,
  parseSize,
  type RunDocument,
  type ServiceDocument,
  tlsOf,
  valueIn,
  volumeVariable,
} from "@fed/lab";
import type { CheckContract } from "#hub/check/check.ts";
import type { ContainerPlace, InstanceLimits, Workload } from "#port/runtime.ts";
import { containerPlace } from "./container.ts";
import { type EnvironmentSource, keyOf, type ResolvedService, type VolumePlace } from "./service.ts";
import { speaksHttp, variablesOf } from "./variable.ts";

/** What resolving needs to know besides the document. */
export interface Place {
  /** Absolute path of the lab's folder. */
  readonly folder: string;
  /** The door's port handed out to this service; undefined when it has none. */
  doorOf(key: string): number | undefined;
  /** The newest version of a secret in an environment; 0 for a file, undefined when it has no value. */
  secretVersion(environment: string, name: string): number | undefined;
  /** An absolute path from one relative to the lab's folder. */
  absolute(folder: string, relative: string): string;
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
  const process = run === undefined || run.kind === "process";
  const machine = machineOf(document, environment, service);
  const local = isLocal(document, machine);
  const route = valueIn(service.route, environment);
  const port = valueIn(service.port, environment);
  const hostPort = process ? undefined : valueIn(service.hostPort, environment);
  const memory = valueIn(service.memory, environment);
  const { variables, needs, missing, unsupported } = variablesOf(service, {
    ...{ document, environment, machine },
    from: process ? "process" : local ? "container" : "away",
    machineOf: (other) => machineOf(document, environment, document.services[other] ?? service),
    doorOf: (other) => place.doorOf(other) ?? 0,
    versionOf: (secret) => place.secretVersion(environment, secret),
  });
  const wish = {
    lab: document.name,
    environment,
    service: name,
    port,
    hostPort,
    volumes: service.volumes ?? {},
    local,
  };
  const listens = route !== undefined || referred.has(key) || port !== undefined;
  const decided = {
    workload: workloadOf(run, place),
    variables,
    volumes: process ? volumesOf(service) : [],
    port: process ? port : undefined,
    ...(process ? {} : { container: containerPlace(wish) }),
    contract: contractOf(valueIn(service.health, environment), listens),
    limits: {
      cpu: valueIn(service.cpu, environment),
      memoryBytes: memory === undefined ? undefined : parseSize(memory),
    },
  };
  const fields = fieldsOf(decided, machine, Object.keys(service.volumes ?? {}));
  const tls = tlsOf(document, name, environment);
  const shaped = {
    route,
    ...(tls === undefined ? {} : { tls }),
    ...(run?.kind === "build" && run.push !== undefined ? { push: run.push } : {}),
    stopGraceMs: parseDuration(valueIn(service.stopGrace, environment) ?? "10s"),
    settleMs: parseDuration(valueIn(service.settle, environment) ?? "10s"),
    needs: [...new Set([...(service.needs ?? []).map((need) => keyOf(environment, need)), ...needs])].sort(),
  };
  const door = place.doorOf(key);
  return {
    ...decided,
    ...shaped,
    ...{ key, lab: document.name, environment, service: name, machine, fields },
    door: door === undefined ? undefined : { port: door, protocol: speaksHttp(service, environment) ? "http" : "tcp" },
    replicas: valueIn(service.replicas, environment) ?? 1,
    ...alone(process ? ["port", port] : ["hostPort", hostPort], service),
    ...(missing.length === 0 ? {} : { missing }),
    unsupported: process && !local ? processAway(machine) : unsupported,
    spec: shortHash(fields),
    wish: shortHash({ ...fields, ...shaped, machine }),
  };
}

/** The same for the same content, in whatever order its keys are. */
function shortHash(parts: Readonly<Record<string, unknown>>): string {
  return hashText(JSON.stringify(Object.entries(parts).sort())).slice(0, 16);
}

function machineOf(document: LabDocument, environment: string, service: ServiceDocument): string {
  return valueIn(service.on, environment) ?? document.environments[environment]?.machines[0] ?? "";
}

/** Whether it is the machine that the hub runs on. */
function isLocal(document: LabDocument, machine: string): boolean {
  return document.machines[machine]?.address === "local";
}

function processAway(machine: string): string {
  return `it is a process on ${machine}, and fed runs processes on its own machine only: give it an image, or build one`;
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

/** The folders of a process. */
function volumesOf(service: ServiceDocument): readonly VolumePlace[] {
  return Object.entries(service.volumes ?? {}).map(([volume, { host }]) => ({
    name: volume,
    variable: volumeVariable(volume),
    host,
  }));
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

/** What only one instance can have: a port of the machine, a volume that it writes. */
function alone(
  [field, port]: readonly [string, number | undefined],
  service: ServiceDocument,
): Pick<ResolvedService, "stopFirst" | "exclusive"> {
  const written = Object.entries(service.volumes ?? {}).flatMap(([name, { readOnly }]) => (readOnly ? [] : [name]));
  const exclusive = [...(port === undefined ? [] : [field]), ...written.map((name) => `volumes.${name}`)];
  if (exclusive.length === 0) return { stopFirst: undefined };
  const why =
    port === undefined
      ? `it keeps data in volume "${written[0]}", which only one instance may write`
      : `it listens on port ${port} of the machine, which only one instance can have`;
  return { stopFirst: why, exclusive };
}

function fieldsOf(
  parts: {
    readonly workload: Workload;
    readonly variables: Readonly<Record<string, EnvironmentSource>>;
    readonly volumes: readonly VolumePlace[];
    readonly port: number | undefined;
    readonly container?: ContainerPlace;
    readonly contract: CheckContract;
    readonly limits: InstanceLimits;
  },
  machine: string,
  volumes: readonly string[],
): Readonly<Record<string, string>> {
  const { container, limits } = parts;
  const fields: Record<string, string> = {
    run: JSON.stringify(parts.workload),
    health: JSON.stringify(parts.contract),
  };
  for (const [name, source] of Object.entries(parts.variables)) fields[`env.${name}`] = JSON.stringify(source);
  for (const volume of parts.volumes) fields[`volumes.${volume.name}`] = JSON.stringify(volume.host ?? null);
  if (parts.port !== undefined) fields.port = String(parts.port);
  if (limits.cpu !== undefined) fields.cpu = String(limits.cpu);
  if (limits.memoryBytes !== undefined) fields.memory = String(limits.memoryBytes);
  if (container === undefined) return fields;
  fields.machine = machine;
  container.mounts.forEach(({ target, ...what }, at) => {
    fields[`volumes.${volumes[at]}`] = JSON.stringify(what);
    fields[`mounts.${volumes[at]}`] = target;
  });
  if (container.port !== undefined) fields.port = String(container.port);
  if (container.hostPort !== undefined) fields.hostPort = String(container.hostPort);
  return fields;
}
