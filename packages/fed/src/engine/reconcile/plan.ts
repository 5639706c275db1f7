/**
 * What is wanted, what is there, and the plan between them: values only. This engine knows services and instances by
 * name and hash; it knows no lab, no runtime and no hub.
 */

/** What is wanted of one service in one environment. */
export interface DesiredService {
  /** `environment/service`. */
  readonly key: string;
  /** Hash of the resolved spec. */
  readonly spec: string;
  /** The spec by field, as canonical text, so that a reason can say what changed. */
  readonly fields: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** Keys of services that must be healthy first. */
  readonly needs: readonly string[];
  /** Why old and new cannot run side by side, in plain words; undefined: they overlap. */
  readonly stopFirst?: string | undefined;
  /** Back-off: start nothing for this service now. */
  readonly hold?: Hold | undefined;
}

export type Hold =
  | { readonly kind: "backOff"; readonly untilMs: number; readonly crashes: number }
  | { readonly kind: "gaveUp"; readonly crashes: number; readonly last: string };

export interface Desired {
  /** Identity of what is wanted (the document's hash). */
  readonly hash: string;
  readonly services: readonly DesiredService[];
  /** Earlier specs by hash, as far as known: what a running instance was made from. */
  readonly earlier: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface ObservedInstance {
  readonly id: string;
  /** `environment/service`. */
  readonly service: string;
  readonly spec: string;
  readonly replica: number;
  readonly state: "running" | "exited";
  readonly health: "unknown" | "healthy" | "unhealthy";
  /** The ingress sends it requests. */
  readonly routed: boolean;
  /** How it ended, in plain words ("exit code 1", "killed by SIGKILL"). */
  readonly exit?: string | undefined;
}

export interface Observed {
  readonly instances: readonly ObservedInstance[];
}

/** What a step does. Keys and ids only: whoever runs it knows the rest. */
export type Action =
  | { readonly kind: "start"; readonly service: string; readonly spec: string; readonly replica: number }
  /** Wait until every running instance of this spec is healthy. */
  | { readonly kind: "check"; readonly service: string; readonly spec: string }
  /** Send requests to the running healthy instances of this spec, to no others, acknowledged. An undefined spec: to none. */
  | { readonly kind: "switch"; readonly service: string; readonly spec?: string | undefined }
  | { readonly kind: "drain"; readonly service: string; readonly instance: string }
  | { readonly kind: "stop"; readonly service: string; readonly instance: string }
  | { readonly kind: "remove"; readonly service: string; readonly instance: string };

export interface Step {
  /** Unique in its plan, stable for the same input. */
  readonly id: string;
  readonly action: Action;
  /** Why, in plain words. */
  readonly reason: string;
  /** Ids of steps that must have succeeded before. */
  readonly after: readonly string[];
}

export interface Plan {
  readonly desired: string;
  /** Hash of the observed state the plan is bound to. */
  readonly observed: string;
  readonly steps: readonly Step[];
  /** What is not done and why: back-off, given up. */
  readonly notes: readonly string[];
}
