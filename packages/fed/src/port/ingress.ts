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
  | {
      readonly kind: "host";
      readonly host: string;
      /** Also, and then by preference, over TLS; plain HTTP alone when left out. */
      readonly tls?: RouteTls | undefined;
    }
  /** A door of its own on 127.0.0.1, for the other services of the lab: a stable address over releases. */
  | {
      readonly kind: "door";
      readonly port: number;
      readonly protocol: "http" | "tcp";
      /** More addresses of this machine to listen on: that by which containers see it. One that is not there (yet) is left out. */
      readonly hosts?: readonly string[] | undefined;
    };

/** Where a host name's certificate comes from; `features.tls` says what an ingress can. */
export type RouteTls =
  /** The one that the ingress was given for this name. */
  | { readonly kind: "given" }
  /** An authority of the ingress' own, which browsers do not know by themselves. */
  | { readonly kind: "internal" }
  /** A public authority, by ACME. */
  | { readonly kind: "acme" };

/** A certificate that an ingress is given, in PEM. */
export interface GivenCertificate {
  /** The certificate itself, then those that lead to its authority. */
  readonly certificate: string;
  readonly key: string;
}

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
  /** HTTP/2 from browsers and clients. */
  readonly http2: boolean;
  /** Where it can take certificates from; none: no TLS. */
  readonly tls: readonly RouteTls["kind"][];
  /** False: what is still open at a drain's deadline ends with its instance, not by the ingress. True when left out. */
  readonly cutsOff?: boolean;
}

export interface Ingress {
  readonly name: string;
  readonly features: IngressFeatures;
  /**
   * Makes these the routes, all at once, replacing those before. Fault `unsupported` for what its features do not
   * name, `conflict` when a door's port is taken or two routes claim one host name or door, `denied` when the machine forbids a door's port; then nothing changed.
   */
  apply(routes: readonly IngressRoute[], signal: AbortSignal): Promise<{ readonly generation: number }>;
  /**
   * Waits until nothing is in flight to the instance any more, at most `deadlineMs`; what is still open then (say an
   * event stream or a WebSocket) is cut off where its features say so, so that the instance can be stopped; both ends of a WebSocket
   * are told so then (close code 1001). Where they do not, it is the instance's to tell when it is asked to end. An instance nobody
   * knows is drained.
   * Fault `conflict` while a route still names it.
   */
  drain(instance: string, deadlineMs: number, signal: AbortSignal): Promise<DrainOutcome>;
  status(signal: AbortSignal): Promise<IngressStatus>;
}
