/**
 * What is wanted, what is there, and the plan between them: values only. This engine knows services and instances by
 * name and hash; it knows no lab, no runtime and no hub.
 */

/** What is wanted of one service in one environment. */
export interface DesiredService {
  /** `environment/service`. */
  readonly key: string;
  /** Hash of the resolved spec: instances with the same one are interchangeable. */
  readonly spec: string;
  /** The spec by field, as canonical text, so that a reason can say what changed. */
  readonly fields: SpecFields;
  /** 0 is a wish too: it is known, and nothing of it runs. */
  readonly replicas: number;
  /** Keys of services that must be healthy and routed before one of its instances is started. */
  readonly needs: readonly string[];
  /** Why old and new cannot run side by side, in plain words ("it …"); undefined: they overlap. */
  readonly stopFirst?: string | undefined;
  /**
   * The fields that name what only one instance can have (a port, a volume): an old instance that has none of these as it is wanted
   * now may run on until the new ones serve. Left out: no old one may.
   */
  readonly exclusive?: readonly string[] | undefined;
  /** Start nothing for this service now. */
  readonly hold?: Hold | undefined;
  /** A release is being made to serve, and this one is gone back to when it does not last. */
  readonly fallback?: Fallback | undefined;
}

/** What stands by until the wanted instances have lasted. */
export interface Fallback {
  readonly spec: string;
  /** So long each wanted instance has to serve in good health, without a break, before those that stand by end. */
  readonly settleMs: number;
}

export type SpecFields = Readonly<Record<string, string>>;

export type Hold =
  /** Once `untilMs` has come it holds nothing any more. `last` says how the last try ended. */
  | { readonly kind: "backOff"; readonly untilMs: number; readonly crashes: number; readonly last?: string | undefined }
  /** For ever: until the spec changes or somebody asks for another try. `last` says how the last try ended. */
  | { readonly kind: "gaveUp"; readonly crashes: number; readonly last: string }
  /** Something it is made of is not there yet. `why` goes on after its name: "waits for its image". */
  | { readonly kind: "waits"; readonly why: string }
  /** Nobody knows what runs of it: nothing at all is done for it. `why` goes on after its name. */
  | { readonly kind: "unseen"; readonly why: string };

export interface Desired {
  /** Identity of what is wanted (the document's hash). */
  readonly hash: string;
  /** In any order; no key twice. */
  readonly services: readonly DesiredService[];
  /**
   * Earlier specs by hash, as far as known: what a running instance was made from. A field `needs` that is a JSON list
   * of keys tells which services such an instance needs.
   */
  readonly earlier: Readonly<Record<string, SpecFields>>;
}

/** The spec of an instance that somebody has changed by hand: it is no other's. */
export function alteredSpec(spec: string): string {
  return `${spec}+`;
}

export interface ObservedInstance {
  /** Sorts by birth. */
  readonly id: string;
  /** `environment/service`. */
  readonly service: string;
  readonly spec: string;
  readonly replica: number;
  readonly state: "running" | "exited";
  /** `unhealthy` is also what was not healthy within its time, or is told to stop; `unknown` is what still may take a while. */
  readonly health: "unknown" | "healthy" | "unhealthy";
  /** Since when it is healthy and routed without a break, as far as known; undefined when it is not. */
  readonly servesSinceMs?: number | undefined;
  /** Its open requests were given their time since it was routed last. */
  readonly drained?: boolean | undefined;
  /** The last acknowledged switch sends the service's requests to it, whether or not the service has a route. */
  readonly routed: boolean;
  /** How it ended, in plain words ("exit code 1", "killed by SIGKILL"). */
  readonly exit?: string | undefined;
  /** It was told to stop and runs still: it is unhealthy, whatever is wanted by now. */
  readonly stopping?: boolean | undefined;
  /** Its machine cannot be reached: it is told as it was seen last, and no step touches it. */
  readonly unseen?: boolean | undefined;
}

export interface Observed {
  /** In any order; no id twice. */
  readonly instances: readonly ObservedInstance[];
}

/** What a step does. Keys and ids only: whoever runs it knows the rest. */
export type Action =
  /** Done when it runs, healthy or not. */
  | { readonly kind: "start"; readonly service: string; readonly spec: string; readonly replica: number }
  /**
   * Wait until every running instance of this spec is healthy, those in `except` left aside. Fails when one of them
   * takes too long, and as soon as fewer than `atLeast` of them run.
   */
  | {
      readonly kind: "check";
      readonly service: string;
      readonly spec: string;
      readonly atLeast: number;
      readonly except: readonly string[];
    }
  /**
   * Send requests to the running healthy instances of this spec, those in `except` left aside, to no others,
   * acknowledged. Fails, and leaves the routes as they are, when there are none. An undefined spec: to none.
   */
  | {
      readonly kind: "switch";
      readonly service: string;
      readonly spec?: string | undefined;
      readonly except: readonly string[];
    }
  /** Wait until its open requests have ended, or its time is up; it is not routed any more. */
  | { readonly kind: "drain"; readonly service: string; readonly instance: string }
  | { readonly kind: "stop"; readonly service: string; readonly instance: string }
  /** Forget an ended instance and its output. */
  | { readonly kind: "remove"; readonly service: string; readonly instance: string };

export interface Step {
  /** Unique in its plan, stable for the same input: "prod/blog start 1 a1b2c3". */
  readonly id: string;
  readonly action: Action;
  /** Why, in plain words. */
  readonly reason: string;
  /** Ids of steps that must have succeeded before. All of them are earlier in the plan. */
  readonly after: readonly string[];
}

export interface Plan {
  /** `hash` of the wish. */
  readonly desired: string;
  /** Hash of the observed state the plan is bound to. */
  readonly observed: string;
  /** A service's steps are together; services come after those they need. */
  readonly steps: readonly Step[];
  /** What is not done and why: back-off, given up, a need that is not met. */
  readonly notes: readonly string[];
}
