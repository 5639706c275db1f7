import type { CheckContract } from "#hub/check/check.ts";
import type { RouteTls } from "#port/ingress.ts";
import type { ContainerPlace, InstanceLimits, Workload } from "#port/runtime.ts";

/** What a variable of a service's environment is made from. Secrets stay names here. */
export type EnvironmentSource =
  | { readonly kind: "text"; readonly text: string }
  /** Version 0: the store has none, so it is read from a file of the data folder. */
  | { readonly kind: "secret"; readonly name: string; readonly version?: number | undefined }
  /** The variable holds the path of a file with the value. */
  | { readonly kind: "secretFile"; readonly name: string; readonly version?: number | undefined };

/** A place where a service keeps data. */
export interface VolumePlace {
  readonly name: string;
  /** The variable in which a process finds the folder. */
  readonly variable: string;
  /** An absolute path on the machine; undefined: fed keeps the folder. */
  readonly host: string | undefined;
}

/** The port of loopback at which the lab's other services find a service. */
export interface ServiceDoor {
  readonly port: number;
  readonly protocol: "http" | "tcp";
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
  /** The repository to which an image that is built goes. */
  readonly push?: string | undefined;
  readonly variables: Readonly<Record<string, EnvironmentSource>>;
  readonly volumes: readonly VolumePlace[];
  /** A fixed port of the machine, for a process; otherwise one is handed out. */
  readonly port: number | undefined;
  /** How it stands in its machine, when it is a container. */
  readonly container?: ContainerPlace | undefined;
  readonly replicas: number;
  readonly contract: CheckContract;
  /** Host name at the ingress. */
  readonly route: string | undefined;
  /** Where the host name's certificate comes from; undefined: plain HTTP alone. */
  readonly tls?: RouteTls["kind"] | undefined;
  readonly door: ServiceDoor | undefined;
  readonly stopGraceMs: number;
  /** How long new instances are watched once they serve; not at all when left out. */
  readonly settleMs?: number | undefined;
  readonly limits: InstanceLimits;
  /** Keys of the services that must be healthy first. */
  readonly needs: readonly string[];
  /** Why old and new can't run side by side. */
  readonly stopFirst: string | undefined;
  /** The fields that name what only one instance can have. */
  readonly exclusive?: readonly string[] | undefined;
  /** Secrets that it needs and that have no value: it cannot be made before they do. */
  readonly missing?: readonly string[] | undefined;
  /** Why this hub can't run it, in plain words. */
  readonly unsupported: string | undefined;
  /** The parts that make an instance what it is, by field, as canonical text. */
  readonly fields: Readonly<Record<string, string>>;
  /** Hash of `fields`. */
  readonly spec: string;
  /** Hash of all that the lab says of it but the number of its replicas: another one is another wish. */
  readonly wish: string;
}

export function keyOf(environment: string, service: string): string {
  return `${environment}/${service}`;
}
