/**
 * Port `ingress`: the door through which requests reach instances. A switch of routes is acknowledged: once `apply`
 * has returned, no new request goes to a target that is no longer named, also not one that comes over a connection
 * that was open before. What was in flight goes on, is counted per instance, and `drain` waits for it.
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
  /**
   * The host name of an HTTP request on the ingress' own port, without port. Letter case and a trailing dot do not
   * matter, neither here nor in the request.
   */
  | { readonly kind: "host"; readonly host: string }
  /** A door of its own on 127.0.0.1, for the other services of the lab: a stable address over releases. */
  | { readonly kind: "door"; readonly port: number; readonly protocol: "http" | "tcp" };

export interface IngressRoute {
  readonly match: RouteMatch;
  /** `environment/service`, for messages. */
  readonly service: string;
  /** Requests are spread over these; none means a 503 page that says so (a tcp door closes the connection). */
  readonly targets: readonly RouteTarget[];
}

export type DrainOutcome =
  | { readonly kind: "drained" }
  /** The deadline came first; so many requests or connections were still open. */
  | { readonly kind: "deadline"; readonly inFlight: number };

export interface IngressStatus {
  /** Counts the acknowledged switches; 0 before the first. */
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
  /**
   * Makes these the routes, all at once, replacing those before. Fault `conflict` when a door's port is taken or two
   * routes claim one host name or door, `denied` when the machine forbids a door's port; then nothing changed.
   */
  apply(routes: readonly IngressRoute[], signal: AbortSignal): Promise<{ readonly generation: number }>;
  /**
   * Waits until nothing is in flight to the instance any more, at most `deadlineMs`; what is still open then (say an
   * event stream or a WebSocket) is cut off, so that the instance can be stopped. An instance nobody knows is drained.
   * Fault `conflict` while a route still names it.
   */
  drain(instance: string, deadlineMs: number, signal: AbortSignal): Promise<DrainOutcome>;
  status(signal: AbortSignal): Promise<IngressStatus>;
}
