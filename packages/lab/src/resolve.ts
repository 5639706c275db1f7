/** What a document says about one service in one environment: the defaults and rules of the language, in one place. */

import type {
  EnvironmentValue,
  IngressDocument,
  LabDocument,
  MachineDocument,
  ServiceDocument,
  TlsWord,
} from "./document.ts";
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

/** Name of the machine a service runs on in an environment: its `on`, else the environment's first. */
export function machineOf(lab: LabDocument, service: string, environment: string): string | undefined {
  return (
    valueIn<string>(own(lab.services, service)?.on, environment) ?? own(lab.environments, environment)?.machines[0]
  );
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

/** The secret that a variable's value refers to, as text or as file. */
export function secretOf(value: EnvironmentValue | undefined): string | undefined {
  if (typeof value !== "object") return undefined;
  if ("secret" in value) return value.secret;
  return "secretFile" in value ? value.secretFile : undefined;
}

/** Names of the secrets that a service gets in an environment, each once. */
export function secretsOf(document: ServiceDocument, environment: string): readonly string[] {
  const names = Object.values(document.env ?? {}).map((variable) => secretOf(valueIn(variable, environment)));
  return [...new Set(names.filter((name) => name !== undefined))];
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

/**
 * What leads requests to the services of a machine: the Caddy that it names, else fed's own ingress, as the hub's machine describes it.
 * `machine` is where it runs; undefined for fed's own in a lab that does not name the hub's machine.
 */
export function ingressOf(
  lab: LabDocument,
  machine: string,
): { readonly machine: string | undefined; readonly ingress: IngressDocument } {
  const named = own(lab.machines, machine)?.ingress;
  if (named?.kind === "caddy") return { machine, ingress: named };
  const locals = Object.entries(lab.machines).filter(([name, document]) => identityOf(document, name) === "local");
  const described = locals.find(([, { ingress }]) => ingress?.kind === "builtin") ?? locals[0];
  const ingress = described?.[1].ingress;
  return { machine: described?.[0], ingress: ingress?.kind === "builtin" ? ingress : { kind: "builtin" } };
}

/** Where the certificate for a service's host name comes from; undefined when it is served without TLS, or has no host name. */
export function tlsOf(lab: LabDocument, service: string, environment: string): Exclude<TlsWord, "none"> | undefined {
  const document = own(lab.services, service);
  const machine = machineOf(lab, service, environment);
  if (document === undefined || machine === undefined || valueIn(document.route, environment) === undefined) return;
  const word = valueIn(document.tls, environment) ?? ingressOf(lab, machine).ingress.tls;
  return word === "none" ? undefined : word;
}

/** The registry that an image's reference is of, as a lab names it: what stands before the first `/` when it has a dot or a port, or is localhost. */
export function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "index.docker.io" ? first : "docker.io";
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
