/** What an engine is told to make a container. Pure; a shape for each engine. */
import { Fault } from "#base/fault.ts";
import type { InstanceSpec, Mount } from "#port/runtime.ts";
import { toEngineLabels } from "./label.ts";

export interface Network {
  readonly id: string;
  readonly name: string;
  /** The machine's address in it. */
  readonly gateway: string;
}

/** An instance with all that was found out before it is made. */
export interface Draft {
  readonly spec: InstanceSpec;
  readonly image: string;
  readonly network: Network;
}

/** The folder inside in which an instance finds its files. Not below /run/secrets, which some systems mount over. */
export const fileFolder = "run/fed";

/** What is kept of an instance's output. */
const logFileBytes = 10 * 2 ** 20;

export function networkName(labels: { readonly lab: string; readonly environment: string }): string {
  return `fed-${labels.lab}-${labels.environment}`;
}

/** Unique because the id is, so that two of one id cannot be made. */
export function containerName({ id, labels }: InstanceSpec): string {
  return `fed-${labels.environment}-${labels.service}-${id.slice(id.indexOf("_") + 1)}`;
}

/** Fault `invalid` or `unsupported` for what cannot be handed over whole. Names variables, never values. */
export function requirePassable({ id, environment, files = {} }: InstanceSpec): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id))
    throw new Fault("invalid", `"${id}" cannot be the id of an instance`);
  for (const [name, value] of Object.entries(environment)) {
    if (name === "" || /[=\0]/.test(name))
      throw new Fault("invalid", `no variable can be called ${JSON.stringify(name)}`);
    if (value.includes("\0")) throw new Fault("invalid", `the value of ${name} holds a NUL character`);
  }
  for (const { name } of Object.values(files))
    if (!/^[A-Za-z0-9_.-]+$/.test(name) || /^\.+$/.test(name))
      throw new Fault("invalid", `"${name}" cannot be the name of a file`, { hint: "Use letters, digits, . _ and -." });
}

/** The whole environment: its own, where its files are, and what it is told about itself. */
function environmentOf({ id, labels, environment, files = {}, container }: InstanceSpec): Record<string, string> {
  const paths = Object.entries(files).map(([variable, { name }]) => [variable, `/${fileFolder}/${name}`] as const);
  return {
    // Most images listen everywhere by themselves; what was written for a process may not.
    HOST: "0.0.0.0",
    ...environment,
    ...Object.fromEntries(paths),
    ...(container?.port === undefined ? {} : { PORT: String(container.port) }),
    ...{ FED_INSTANCE: id, FED_SERVICE: labels.service, FED_ENVIRONMENT: labels.environment },
  };
}

/** Names by which others of the network find it. */
const aliasesOf = ({ labels }: InstanceSpec) => [labels.service, `${labels.service}.${labels.environment}`];

function hostsOf({ spec, network }: Draft): readonly string[] {
  const hosts = Object.entries(spec.container?.hosts ?? {});
  return hosts.map(([name, address]) => `${name}:${address === "host-gateway" ? network.gateway : address}`);
}

/** Body of `POST /containers/create` (Docker Engine API 1.41). */
export function dockerBody(draft: Draft): object {
  const { spec, image, network } = draft;
  const { port, hostPort, mounts = [] } = spec.container ?? {};
  const { cpu, memoryBytes } = spec.limits;
  const places = [
    { HostIp: "127.0.0.1", HostPort: spec.port === undefined ? "" : String(spec.port) },
    ...(hostPort === undefined ? [] : [{ HostIp: "", HostPort: String(hostPort) }]),
  ];
  return {
    Image: image,
    Env: Object.entries(environmentOf(spec)).map(([name, value]) => `${name}=${value}`),
    Labels: toEngineLabels(spec.id, spec.labels, port),
    ...(port === undefined ? {} : { ExposedPorts: { [`${port}/tcp`]: {} } }),
    HostConfig: {
      // Not its name, which may be that of two.
      NetworkMode: network.id,
      ...(port === undefined ? {} : { PortBindings: { [`${port}/tcp`]: places } }),
      Mounts: mounts.map(dockerMount),
      ExtraHosts: hostsOf(draft),
      // Two files: when the newest is begun anew, the one before still holds as much.
      LogConfig: { Type: "json-file", Config: { "max-size": String(logFileBytes), "max-file": "2" } },
      ...(cpu === undefined ? {} : { NanoCpus: Math.round(cpu * 1e9) }),
      // No more by way of the swap.
      ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
      RestartPolicy: { Name: "no" },
    },
    NetworkingConfig: { EndpointsConfig: { [network.id]: { Aliases: aliasesOf(spec) } } },
  };
}

function dockerMount(mount: Mount): object {
  const { target, readOnly } = mount;
  return mount.kind === "volume"
    ? { Type: "volume", Source: mount.name, Target: target, ReadOnly: readOnly }
    : { Type: "bind", Source: mount.path, Target: target, ReadOnly: readOnly };
}

const cpuPeriodUs = 100_000;

/**
 * Body of `POST /libpod/containers/create` (Podman 4 and 5). Podman's translation of Docker's body would make folders that are
 * not there, and read a comma in a path as the beginning of another option.
 */
export function podmanBody(draft: Draft): object {
  const { spec, image, network } = draft;
  const { port, hostPort, mounts = [] } = spec.container ?? {};
  const { cpu, memoryBytes } = spec.limits;
  const places =
    port === undefined
      ? []
      : [
          { host_ip: "127.0.0.1", host_port: spec.port ?? 0, container_port: port },
          ...(hostPort === undefined ? [] : [{ host_port: hostPort, container_port: port }]),
        ];
  return {
    name: containerName(spec),
    image: image.replace(/^sha256:/, ""),
    env: environmentOf(spec),
    labels: toEngineLabels(spec.id, spec.labels, port),
    portmappings: places,
    netns: { nsmode: "bridge" },
    networks: { [network.name]: { aliases: aliasesOf(spec) } },
    volumes: mounts.flatMap((mount) =>
      mount.kind === "volume"
        ? [{ Name: mount.name, Dest: mount.target, Options: [mount.readOnly ? "ro" : "rw"] }]
        : [],
    ),
    mounts: mounts.flatMap((mount) =>
      mount.kind === "folder"
        ? [
            {
              ...{ type: "bind", source: mount.path, destination: mount.target },
              options: ["rbind", mount.readOnly ? "ro" : "rw"],
            },
          ]
        : [],
    ),
    hostadd: hostsOf(draft),
    // It has one file, which it begins anew when it is full.
    log_configuration: { driver: "k8s-file", size: 2 * logFileBytes },
    resource_limits: {
      ...(cpu === undefined ? {} : { cpu: { period: cpuPeriodUs, quota: Math.round(cpu * cpuPeriodUs) } }),
      ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes, swap: memoryBytes } }),
    },
    systemd: "false",
    restart_policy: "no",
  };
}
