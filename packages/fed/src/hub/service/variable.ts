import { type LabDocument, type ServiceDocument, valueIn } from "@fed/lab";
import { type EnvironmentSource, keyOf } from "./service.ts";

/** What a container calls the machine it runs on. */
export const machineAlias = "host.fed.internal";

/** Where a service stands that refers to others. */
export interface Viewpoint {
  readonly document: LabDocument;
  readonly environment: string;
  /** On the hub's machine itself, in a container there, or in one elsewhere. */
  readonly from: "process" | "container" | "away";
  machineOf(service: string): string;
  readonly machine: string;
  doorOf(key: string): number;
  /** Undefined: it has no value. */
  versionOf(secret: string): number | undefined;
}

export interface Variables {
  readonly variables: Readonly<Record<string, EnvironmentSource>>;
  /** Keys of the services that are referred to. */
  readonly needs: readonly string[];
  /** Names of secrets that have no value. */
  readonly missing: readonly string[];
  /** Why one of them cannot be reached from here, in plain words. */
  readonly unsupported: string | undefined;
}

/** The variables of a service, with the addresses of others as they are seen from where it runs. Pure. */
export function variablesOf(service: ServiceDocument, view: Viewpoint): Variables {
  const variables: Record<string, EnvironmentSource> = {};
  const needs: string[] = [];
  const missing = new Set<string>();
  const secret = (kind: "secret" | "secretFile", name: string): EnvironmentSource => {
    const version = view.versionOf(name);
    if (version === undefined) missing.add(name);
    return version === 0 || version === undefined ? { kind, name } : { kind, name, version };
  };
  let unsupported: string | undefined;
  for (const [name, value] of Object.entries(service.env ?? {})) {
    const here = valueIn(value, view.environment);
    if (here === undefined) continue;
    if (typeof here === "string") variables[name] = { kind: "text", text: here };
    else if ("secret" in here) variables[name] = secret("secret", here.secret);
    else if ("secretFile" in here) variables[name] = secret("secretFile", here.secretFile);
    else {
      needs.push(keyOf(view.environment, here.service));
      const address = addressOf(here.service, view);
      if (address.kind === "unsupported") unsupported ??= address.why;
      variables[name] = { kind: "text", text: address.kind === "found" ? address.text : "" };
    }
  }
  return { variables, needs, missing: [...missing].sort(), unsupported };
}

type Address =
  | { readonly kind: "found"; readonly text: string }
  | { readonly kind: "unsupported"; readonly why: string };

/** What `{ service }` becomes: a URL for what speaks HTTP, `host:port` for what does not. */
function addressOf(name: string, view: Viewpoint): Address {
  const { document, environment } = view;
  const service = document.services[name];
  const scheme = speaksHttp(service, environment) ? "http://" : "";
  const door = view.doorOf(keyOf(environment, name));
  if (view.from === "process") return { kind: "found", text: `${scheme}127.0.0.1:${door}` };
  if (view.from === "container") return { kind: "found", text: `${scheme}${machineAlias}:${door}` };
  const machine = view.machineOf(name);
  const port = valueIn(service?.port, environment);
  if (machine !== view.machine) {
    return {
      kind: "unsupported",
      why: `it refers to ${name}, which is on ${machine}: what runs on ${view.machine} finds only services of ${view.machine}`,
    };
  }
  if (port === undefined) return { kind: "unsupported", why: `it refers to ${name}, which has no port` };
  // By the name that the engine of that machine knows it by, on the environment's own network.
  return { kind: "found", text: `${scheme}${name}:${port}` };
}

export function speaksHttp(service: ServiceDocument | undefined, environment: string): boolean {
  return valueIn(service?.health, environment)?.kind === "http" || valueIn(service?.route, environment) !== undefined;
}
