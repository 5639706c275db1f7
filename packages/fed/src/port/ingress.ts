/**
 * Port `ingress`: the door through which requests reach instances. A switch of routes is acknowledged: once `apply`
 * has returned, no new request goes to a target that is no longer named.
 */

/** A place that answers for a route. */
export interface RouteTarget {
  /** Id of the instance; what `drain` and the status speak of. */
  readonly instance: string;
  readonly host: string;
  readonly port: number;
}

/** What brings a request to a service. */
export type RouteMatch =
  /** The host name of an HTTP request on the ingress' own port, lower case, without port. */
  | { readonly kind: "host"; readonly host: string }
  /** A door of its own on loopback, for the other services of the lab: a stable address over releases. */
  | { readonly kind: "door"; readonly port: number; readonly protocol: "http" | "tcp" };

export interface IngressRoute {
  readonly match: RouteMatch;
  /** `environment/service`, for messages. */
  readonly service: string;
  /** Requests are spread over these; none means a 503 page that says so. */
  readonly targets: readonly RouteTarget[];
}

export type DrainOutcome =
  | { readonly kind: "drained" }
  /** The deadline came first; so many requests or connections were still open. */
  | { readonly kind: "deadline"; readonly inFlight: number };

export interface IngressStatus {
  /** Counts the acknowledged switches, from 1. */
  readonly generation: number;
  readonly routes: readonly IngressRoute[];
  /** Open requests, upgraded and raw connections per instance; instances with none are left out. */
  readonly inFlight: Readonly<Record<string, number>>;
}

export interface IngressFeatures {
  readonly tcpDoors: boolean;
  readonly webSocket: boolean;
}

export interface Ingress {
  readonly name: string;
  readonly features: IngressFeatures;
  /** Makes these the routes, all at once, replacing those before. Fault `conflict` when a door's port is taken; then nothing changed. */
  apply(routes: readonly IngressRoute[], signal: AbortSignal): Promise<{ readonly generation: number }>;
  /** Waits until nothing is in flight to the instance any more, at most `deadlineMs`. It must not be a target any more. */
  drain(instance: string, deadlineMs: number, signal: AbortSignal): Promise<DrainOutcome>;
  status(signal: AbortSignal): Promise<IngressStatus>;
}
