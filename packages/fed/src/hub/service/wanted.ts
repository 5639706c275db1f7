import type { Fallback } from "#engine/reconcile/plan.ts";
import type { Origin } from "#hub/event/verbs.ts";
import type { ImageStore } from "#port/image.ts";
import type { ResolvedService } from "./service.ts";

/**
 * What the release noun says and what it is told: the line between the two nouns. Release decides which resolved service is
 * wanted, and of which image; service makes that real and reports how it went. hub/hub.ts connects them.
 */

/**
 * One service as it is wanted now: what its release says, with what somebody has said since (scale, stop).
 *
 * `fields` and `spec` are those of the release: the fields that `resolveLab` gave, and with them `image` (its id) and, where new
 * instances of the same thing were asked for, `restart`. `workload` is what an instance gets: of an image or a build
 * `{ kind: "image", reference: <image id> }`. `replicas` is the number to run, 0 when it was stopped by hand; `door` and
 * `unsupported` are of today, everything else is as it was when the release was made.
 */
export interface WantedService extends ResolvedService {
  /** Undefined: its first one is not prepared yet, or could not be. */
  readonly release: WantedRelease | undefined;
  /** Why nothing of it can be started now, in words that go on after its name: "waits for its image". Undefined: it can. */
  readonly held: string | undefined;
  /** Its only release was cancelled when instances of it may have been there: they end. */
  readonly withdrawn?: boolean | undefined;
  /** What is gone back to while a rollout is under way: it stands by until the wanted instances have lasted. */
  readonly fallback?: Fallback | undefined;
  /** Somebody has stopped it by hand. */
  readonly stopped: boolean;
}

/** For the labels of instances. */
export interface WantedRelease {
  readonly id: string;
  readonly number: number;
  /** `sha256:…`; undefined: a process. */
  readonly image: string | undefined;
  readonly digest: string | undefined;
  readonly commit: string | undefined;
}

/** Everything that is wanted: what is not in it is to end. */
export interface Wanted {
  /** Identity of it all: changes when anything here does. */
  readonly hash: string;
  /** Sorted by key. */
  readonly services: readonly WantedService[];
  /** Of a preview: what would come to nothing, and why. */
  readonly notes?: readonly string[] | undefined;
}

/** What service does for release. */
export interface ServicePart {
  /**
   * From now on this is wanted; it was committed before. Called with each change of a pointer, also many times in a row.
   * `correlation`: of the deed that led to it. Never throws.
   */
  want(wanted: Wanted, correlation: string): void;
  /** Ids of releases of which an instance is there, as far as known; a machine that cannot be reached keeps its last ones. */
  runningReleases(): ReadonlySet<string>;
  /** Why nobody knows now what runs on a machine; undefined when it can be asked. */
  unseenOn(machine: string): string | undefined;
  /**
   * The images of a machine, looked for anew with each call. Fault `unreachable` when it cannot be asked now, `unsupported` when it
   * has no container engine.
   */
  imagesOf(machine: string, signal: AbortSignal): Promise<ImageStore>;
}

/** What service tells release. Calls that say nothing new are welcome; none of them throws. */
export interface ServiceNews {
  /** This spec is what serves, and nothing is left to do for the service; also where 0 replicas are wanted and none runs. */
  serving(key: string, spec: string): void;
  /**
   * A try of the wanted spec went wrong: it ended before it was healthy, was not healthy in time, did not start.
   * `output`: the last lines of the instance, at most 16 KiB, "" when there are none. `final`: it is given up, no other try follows
   * by itself.
   */
  failed(key: string, spec: string, failure: ServiceFailure): void;
  /** The engine of this machine can be asked, which it could not before. */
  arrived(machine: string): void;
}

export interface ServiceFailure {
  readonly reason: string;
  readonly output: string;
  readonly final: boolean;
}

/**
 * What people say of one service by hand, over the endpoints `restart`, `stop`, `start` and `scale`, which service has: release
 * keeps it, with its event, and calls `want`. The service is known to be in the lab.
 */
export interface ByHand {
  /** New instances of the same release: another value of the field `restart`. */
  restart(key: string, origin: Origin): void;
  /** 0 replicas until it is started again. */
  stop(key: string, origin: Origin): void;
  start(key: string, origin: Origin): void;
  /** So many, until the lab says another number; undefined: as the lab says. */
  scale(key: string, replicas: number | undefined, origin: Origin): void;
}
