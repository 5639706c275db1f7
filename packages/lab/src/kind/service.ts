/** A service: what runs. */

import type {
  Duration,
  EnvironmentValue,
  PerEnvironment,
  ServiceDocument,
  Size,
  TlsWord,
  VolumeDocument,
} from "../document.ts";
import { type Cursor, isPlainObject, type Read, report, reportType } from "../read/cursor.ts";
import { label, variable } from "../read/name.ts";
import { duration, flag, number, reference, size, text } from "../read/scalar.ts";
import { list, map, object, optional, perEnvironment, required } from "../read/shape.ts";
import { type HealthProps, readHealth } from "./health.ts";
import { readTls } from "./ingress.ts";
import { type RunProps, readRun } from "./run.ts";
import { readSecretFileReference, readSecretReference, type SecretName } from "./secret.ts";

/** A value of a variable: a public text, a secret, or the address of another service. */
export type VariableProps<X extends string = string, S extends string = string> =
  | string
  /** The value of a secret, never in the document. */
  | { readonly secret: SecretName<X> }
  /**
   * The path of a file that holds the value and nothing else, for programs that read `POSTGRES_PASSWORD_FILE` and the like: other
   * than a variable, a child process does not inherit it and the engine does not show it.
   */
  | { readonly secretFile: SecretName<X> }
  /** The address of another service, such as `http://127.0.0.1:40123`, right in each environment. Implies `needs`. */
  | { readonly service: S };

/**
 * What a service is. `M`, `E`, `X` and `S` are the names of the lab's machines, environments, secrets and services.
 * What may differ by environment is one value, or a map such as `{ dev: "debug", default: "info" }`.
 *
 * @example
 * blog: {
 *   run: build("./blog"),
 *   port: 8080,
 *   health: http("/health"),
 *   route: { dev: "blog.localhost", prod: "blog.example.org" },
 *   env: { DATABASE_URL: { secret: "BLOG_DB" }, API_URL: { service: "api" } },
 *   needs: ["db"],
 * }
 */
export interface ServiceProps<
  M extends string = string,
  E extends string = string,
  X extends string = string,
  S extends string = string,
> {
  /** `process("node server.mjs")`, `image("grafana/grafana:12.1.0")` or `build("./blog")`. */
  readonly run: PerEnvironment<RunProps, E>;
  /** Environments it runs in; all when left out. */
  readonly in?: readonly E[];
  /**
   * The port it listens on. For a container: inside its own network. For a process: of the machine, so no other
   * process there can have it; leave it out and the process finds a free one in `PORT`.
   */
  readonly port?: PerEnvironment<number, E>;
  /** Containers only: the machine's port at which `port` is published as it is, without the ingress. */
  readonly hostPort?: PerEnvironment<number, E>;
  /** When an instance is ready for requests: `http("/health")`, `tcp()` or `command("pg_isready")`. */
  readonly health?: PerEnvironment<HealthProps, E>;
  /** The host name at which the ingress serves it, lower case: `"blog.localhost"`. */
  readonly route?: PerEnvironment<string, E>;
  /**
   * Where the certificate of its host name comes from, in place of what the ingress of its machine says: `"acme"`, `"internal"`,
   * `"given"`, or `"none"` for no TLS.
   */
  readonly tls?: PerEnvironment<TlsWord, E>;
  /** Its variables: a public text, `{ secret: "NAME" }`, `{ secretFile: "NAME" }` or `{ service: "name" }`, each also by environment. */
  readonly env?: Readonly<Record<string, PerEnvironment<VariableProps<X, S>, E>>>;
  /** Folders that outlive it, by name. */
  readonly volumes?: Readonly<Record<string, VolumeDocument>>;
  /** Services that must be healthy before it starts, in each environment both run in. */
  readonly needs?: readonly S[];
  /** The machine it runs on; the environment's first when left out. */
  readonly on?: PerEnvironment<M, E>;
  /** How many instances run side by side, 1 to 100; 1 when left out. */
  readonly replicas?: PerEnvironment<number, E>;
  /** Between being asked to stop and being forced, 0s to 1h; "10s" when left out. */
  readonly stopGrace?: PerEnvironment<Duration, E>;
  /**
   * How long new instances are watched after they took over, 0s to 1h; "10s" when left out. The ones before stand by so long where both
   * can run at once, and serve again at once when a new one ends or falls ill. "0s" watches nothing.
   */
  readonly settle?: PerEnvironment<Duration, E>;
  /** The most it may use, in cores, such as 0.5. */
  readonly cpu?: PerEnvironment<number, E>;
  /** The most it may use, such as "512MiB". */
  readonly memory?: PerEnvironment<Size, E>;
  /** Who to ask. */
  readonly owner?: string;
  /** Where its source is. */
  readonly repo?: string;
  /** What to do when it is down: a file relative to the lab's folder, or an address. */
  readonly runbook?: string;
  /** More addresses for people, by title. */
  readonly links?: Readonly<Record<string, `http://${string}` | `https://${string}`>>;
}

function routeHint(route: string): string | undefined {
  if (/^\w+:\/\//.test(route) || route.includes("/")) return "Write the host name alone.";
  if (/:\d+$/.test(route)) return "Write it without the port: the ingress has one for all.";
  if (route !== route.toLowerCase()) return `Write it in lower case: "${route.toLowerCase()}".`;
  return undefined;
}

const hostName = text({
  what: "a host name",
  pattern: /^(?!\d+(?:\.\d+)*$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/,
  hint: routeHint,
  longest: 253,
});

const readServiceValue = object<{ readonly service: string }>("a reference to a service", {
  service: required(reference("service")),
});
const publicText = text({ what: "a text", empty: true });

function readVariable(value: unknown, at: Cursor): EnvironmentValue | undefined {
  if (isPlainObject(value) && Object.hasOwn(value, "secret")) return readSecretReference(value, at);
  if (isPlainObject(value) && Object.hasOwn(value, "secretFile")) return readSecretFileReference(value, at);
  if (isPlainObject(value) && Object.hasOwn(value, "service")) return readServiceValue(value, at);
  if (typeof value === "string") return publicText(value, at);
  const hint = typeof value === "number" || typeof value === "boolean" ? "Put quotes around it." : undefined;
  return reportType(at, 'a text, { secret: "NAME" }, { secretFile: "NAME" } or { service: "name" }', value, hint);
}

const machineName = reference("machine");

/** Instances on several machines would be an engine's business that spreads them (Swarm, Kubernetes), not fed's. */
function readOn(value: unknown, at: Cursor): string | undefined {
  if (!Array.isArray(value)) return machineName(value, at);
  const hint = "Name one. For two of them, write a second service for the other machine.";
  return report(at, "wrong-type", "In one environment all instances of a service run on one machine.", hint);
}

const absolutePath = text({
  what: "an absolute path",
  pattern: /^\/(?!(?:.*\/)?\.\.(?:\/|$))[^\n]*$/,
  hint: (path) => (path.startsWith("/") ? "Write it without `..`." : "It begins with a slash."),
  longest: 4096,
});

const readVolume: Read<VolumeDocument> = object<VolumeDocument>("a volume", {
  at: optional(absolutePath),
  host: optional(absolutePath),
  readOnly: optional(flag),
});

const port = number({ what: "a port", min: 1, max: 65_535, whole: true });
const line = text({ what: "one line of text", pattern: /^[^\n]*$/, longest: 1024 });

/** Nothing a browser would run when a person clicks it. */
const place: Read<string> = (value, at) => {
  const read = line(value, at);
  if (read === undefined || !/^\s*(?:javascript|data|vbscript):/i.test(read)) return read;
  return report(at, "bad-value", "It is code, not an address.");
};

const link = text({
  what: "an address that begins with http:// or https://",
  pattern: /^https?:\/\/[^\s]+$/,
  longest: 2048,
});

export const readService: Read<ServiceDocument> = object<ServiceDocument>("a service", {
  run: required(perEnvironment(readRun)),
  in: optional(list("a list of environments", reference("environment"), 1)),
  port: optional(perEnvironment(port)),
  hostPort: optional(perEnvironment(port)),
  health: optional(perEnvironment(readHealth)),
  route: optional(perEnvironment(hostName)),
  tls: optional(perEnvironment(readTls)),
  env: optional(map("variables by name", variable("a variable"), perEnvironment(readVariable))),
  volumes: optional(map("volumes by name", label("a volume"), readVolume)),
  needs: optional(list("a list of services", reference("service"))),
  on: optional(perEnvironment(readOn)),
  replicas: optional(
    perEnvironment(
      number({
        what: "a number of instances",
        min: 1,
        max: 100,
        whole: true,
        hint: "To keep it out of an environment, list the others under `in`.",
      }),
    ),
  ),
  stopGrace: optional(perEnvironment(duration("0s", "1h"))),
  settle: optional(perEnvironment(duration("0s", "1h"))),
  cpu: optional(perEnvironment(number({ what: "a number of cores", min: 0.01, max: 1024, whole: false }))),
  memory: optional(perEnvironment(size("1MiB", "64TiB"))),
  owner: optional(line),
  repo: optional(place),
  runbook: optional(place),
  links: optional(map("addresses by title", text({ what: "a title", pattern: /^[^\n]*$/, longest: 80 }), link)),
});
