/**
 * The document: what a lab file says, as plain data. `defineLab` returns one, frozen; `print.ts` writes it as canonical
 * JSON. This is the shape the machine reads; the shapes people write (with names checked by the compiler) are in
 * `kind/`. Every name in it has been checked, every command is an argv, and no field is `undefined`.
 */

/** `"500ms"`, `"5s"`, `"2m"`, `"1h"`, `"7d"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** `"512MiB"`, `"2GiB"`, `"10GB"`, `"64kB"`, `"100B"`. */
export type Size = `${number}${"B" | "kB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB" | "TiB"}`;

/**
 * One value everywhere, or one per environment with an optional `default`; read it with `valueIn`. A map is told from a
 * value by its keys: a value that is an object always has `kind`, `secret`, `secretFile` or `service`, and no
 * environment may be called so.
 */
export type PerEnvironment<T, E extends string = string> = T | { readonly [K in E | "default"]?: T };

export interface LabDocument {
  /** Lower-case letters, digits and dashes, as all names are but those of secrets and variables. */
  readonly name: string;
  readonly machines: Readonly<Record<string, MachineDocument>>;
  readonly environments: Readonly<Record<string, EnvironmentDocument>>;
  readonly secrets: Readonly<Record<string, SecretDocument>>;
  readonly services: Readonly<Record<string, ServiceDocument>>;
  /** By host, with the port where there is one; Docker Hub is "docker.io". */
  readonly registries?: Readonly<Record<string, RegistryDocument>>;
  readonly metrics?: MetricsDocument;
}

export type MachineDocument = ServerDocument | WorkstationDocument;

export interface ServerDocument {
  readonly kind: "server";
  /** `"local"` is the machine the hub runs on; otherwise a host name or an IP address. */
  readonly address: string;
  /** Of SSH; 22 when left out. */
  readonly port?: number;
  /** Who logs in by SSH; the hub's own user when left out. */
  readonly user?: string;
  /** Path of an SSH private key, absolute or relative to the lab's folder. */
  readonly key?: string;
  /** Name of the machine through which SSH reaches it. */
  readonly jump?: string;
  /** Between two looks at it; "10s" when left out. */
  readonly every?: Duration;
  /** Prometheus exporters on it or about it, by name. */
  readonly exporters?: Readonly<Record<string, ExporterDocument>>;
  /** What runs its containers; whichever of Docker and Podman answers when left out. */
  readonly engine?: EngineDocument;
  /** What leads requests to the services on it; fed's own, in the hub, when left out. */
  readonly ingress?: IngressDocument;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface WorkstationDocument {
  /** May be away; never an offline alert. */
  readonly kind: "workstation";
  readonly address?: string;
  /** Its name in the tailnet. A workstation has an address, a tailscale name, or both. */
  readonly tailscale?: string;
  readonly port?: number;
  readonly user?: string;
  readonly key?: string;
  readonly jump?: string;
  readonly every?: Duration;
  readonly exporters?: Readonly<Record<string, ExporterDocument>>;
  readonly engine?: EngineDocument;
  readonly ingress?: IngressDocument;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface EngineDocument {
  readonly kind: "docker" | "podman";
  /** An absolute path on its machine; the engine's usual one when left out. */
  readonly socket?: string;
}

/** Where the certificate of a route comes from: one of those given, an authority of the ingress' own, a public one; "none": no TLS. */
export type TlsWord = "none" | "given" | "internal" | "acme";

/** PEM files of the hub's machine; paths are absolute or relative to the lab's folder. */
export interface CertificateDocument {
  readonly certificate: string;
  readonly key: string;
}

export type IngressDocument =
  | {
      readonly kind: "builtin";
      readonly certificates?: readonly CertificateDocument[];
      readonly httpsPort?: number;
      /** For routes that do not say it themselves; "none" when left out. */
      readonly tls?: TlsWord;
    }
  | {
      readonly kind: "caddy";
      /** "http://127.0.0.1:2019" when left out. */
      readonly admin?: string;
      /** 80 and 443 when left out. */
      readonly httpPort?: number;
      readonly httpsPort?: number;
      readonly tls?: TlsWord;
      readonly certificates?: readonly CertificateDocument[];
      readonly email?: string;
      /** Of another authority that speaks ACME. */
      readonly directory?: string;
    };

/** Something that tells metrics in Prometheus' way. Its name is the label `job` of what it tells. */
export interface ExporterDocument {
  /** `http:` or `https:`, without user and password. */
  readonly url: string;
  /** Between two scrapes; as often as its machine is looked at when left out. */
  readonly every?: Duration;
  /** Of one scrape, not longer than `every`; 10 s, or `every` if that is less, when left out. */
  readonly timeout?: Duration;
  /** Added to each series; what it says itself under such a name is called `exported_…`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly auth?: HttpAuth;
}

export interface EnvironmentDocument {
  /** At least one; a service that does not say `on` runs on the first. */
  readonly machines: readonly string[];
  readonly promoteFrom?: string;
  readonly approval?: boolean;
}

/** Where images are pulled from and pushed to. */
export interface RegistryDocument {
  /** Who the hub is there; nobody when left out. */
  readonly auth?: PasswordAuth;
}

export interface SecretDocument {
  /** Environments in which it has a value; all when left out. */
  readonly in?: readonly string[];
  readonly description?: string;
}

export type RunDocument =
  /** `command` is an argv: no shell. `folder` is relative to the lab's folder, "." when left out. */
  | { readonly kind: "process"; readonly command: readonly string[]; readonly folder?: string }
  | { readonly kind: "image"; readonly reference: string }
  /** `push`: the repository, `registry/path` without a tag, to which each image that is built goes. */
  | { readonly kind: "build"; readonly folder: string; readonly dockerfile?: string; readonly push?: string };

interface HealthTiming {
  /** Between two probes; "1s" when left out. */
  readonly every?: Duration;
  /** Of one probe; "5s" when left out. */
  readonly timeout?: Duration;
  /** How long a new instance may take to become healthy; "60s" when left out. */
  readonly within?: Duration;
}

export type HealthDocument =
  | ({ readonly kind: "http"; readonly path: string } & HealthTiming)
  | ({ readonly kind: "tcp" } & HealthTiming)
  | ({ readonly kind: "command"; readonly command: readonly string[] } & HealthTiming);

/** A plain string is public; a secret and a service are references. `secretFile`: the variable holds the path of a file with the value. */
export type EnvironmentValue =
  | string
  | { readonly secret: string }
  | { readonly secretFile: string }
  | { readonly service: string };

export interface VolumeDocument {
  /** Where a container finds it: an absolute path. A process needs none: it finds the folder's path in `VOLUME_<NAME>`. */
  readonly at?: string;
  /** An absolute path on the machine; when left out fed keeps the folder. */
  readonly host?: string;
  readonly readOnly?: boolean;
}

export interface ServiceDocument {
  readonly run: PerEnvironment<RunDocument>;
  /** Environments it runs in; all when left out. */
  readonly in?: readonly string[];
  /** Port it listens on: inside its own network for a container; of the machine for a process, which then cannot overlap. A process without one gets a free port in PORT. */
  readonly port?: PerEnvironment<number>;
  /** Port of the machine at which a container is published as it is, without the ingress. */
  readonly hostPort?: PerEnvironment<number>;
  readonly health?: PerEnvironment<HealthDocument>;
  /** Host name, lower case. */
  readonly route?: PerEnvironment<string>;
  /** In place of what the ingress says. */
  readonly tls?: PerEnvironment<TlsWord>;
  readonly env?: Readonly<Record<string, PerEnvironment<EnvironmentValue>>>;
  readonly volumes?: Readonly<Record<string, VolumeDocument>>;
  readonly needs?: readonly string[];
  readonly on?: PerEnvironment<string>;
  /** 1 when left out. */
  readonly replicas?: PerEnvironment<number>;
  /** Between being asked to stop and being forced; "10s" when left out. */
  readonly stopGrace?: PerEnvironment<Duration>;
  /** How long new instances are watched after they took over; "10s" when left out. */
  readonly settle?: PerEnvironment<Duration>;
  /** Cores, such as 0.5. */
  readonly cpu?: PerEnvironment<number>;
  readonly memory?: PerEnvironment<Size>;
  readonly owner?: string;
  readonly repo?: string;
  readonly runbook?: string;
  readonly links?: Readonly<Record<string, string>>;
}

/** What becomes of the samples that the hub keeps. */
export interface MetricsDocument {
  /** Who is sent what comes in, by name. */
  readonly remoteWrite?: Readonly<Record<string, RemoteWriteDocument>>;
}

export interface RemoteWriteDocument {
  /** `http:` or `https:`, without user and password. */
  readonly url: string;
  readonly auth?: HttpAuth;
  /** Added to each series that has not such a label itself. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Selectors of PromQL: a series is sent that fulfils one of them; all when left out. */
  readonly only?: readonly string[];
  /** And none that fulfils one of these. */
  readonly drop?: readonly string[];
}

/** Who the hub is to a server: a user with a password, or the bearer of a token. */
export type HttpAuth = PasswordAuth | { readonly token: { readonly secret: string } };

export interface PasswordAuth {
  readonly user: string;
  readonly password: { readonly secret: string };
}
