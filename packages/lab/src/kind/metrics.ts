/** Metrics: what becomes of the samples that the hub keeps. */

import type { MetricsDocument, RemoteWriteDocument } from "../document.ts";
import { type Cursor, type Read, report } from "../read/cursor.ts";
import { label, variable } from "../read/name.ts";
import { text } from "../read/scalar.ts";
import { list, map, object, optional, required } from "../read/shape.ts";
import type { NonEmptyList } from "./list.ts";
import { type HttpAuthProps, readHttpAuth, readUrl } from "./peer.ts";
import type { SecretName } from "./secret.ts";

/**
 * What becomes of the samples that the hub keeps.
 *
 * @example
 * metrics: {
 *   remoteWrite: {
 *     longterm: { url: "http://10.0.0.5:8428/api/v1/write" },
 *     cloud: {
 *       url: "https://metrics.example.org/api/v1/push",
 *       auth: { user: "ada", password: { secret: "METRICS_PASSWORD" } },
 *       labels: { hub: "ocean" },
 *       only: ['{job="node"}', "up"],
 *     },
 *   },
 * }
 */
export interface MetricsProps<X extends string = string> {
  /**
   * Who is sent every sample that comes in from now on, by name; eight at most. Who is away gets all of it when he is back, up to
   * 1 GiB of log. (A Prometheus that scrapes for itself takes what is older than an hour only within its `out_of_order_time_window`.)
   */
  readonly remoteWrite?: Readonly<Record<string, RemoteWriteProps<X>>>;
}

/** Somebody who takes remote write 1.0: a Prometheus, a VictoriaMetrics, a service. */
export interface RemoteWriteProps<X extends string = string> {
  /** Such as `"http://10.0.0.5:9090/api/v1/write"`; without user and password. */
  readonly url: `http://${string}` | `https://${string}`;
  /** Who the hub is there: a user with a password, or the bearer of a token. */
  readonly auth?: HttpAuthProps<SecretName<X>>;
  /** Added to each series that has not such a label itself: `{ hub: "ocean" }`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Selectors of PromQL, such as `'{job="node"}'`: a series is sent that fulfils one of them; all when left out. */
  readonly only?: NonEmptyList<string>;
  /** And none that fulfils one of these. */
  readonly drop?: NonEmptyList<string>;
}

const mostTargets = 8;

const selectors = list(
  "a list of selectors",
  text({ what: 'a selector, such as {job="node"}', longest: 10_000, pattern: /\S/ }),
  1,
);

const readRemoteWrite = object<RemoteWriteDocument>("a target of remote write", {
  url: required(readUrl),
  auth: optional(readHttpAuth),
  labels: optional(
    map('labels, such as { hub: "ocean" }', variable("a label"), text({ what: "the text of a label", longest: 1_024 })),
  ),
  only: optional(selectors),
  drop: optional(selectors),
});

const readTargets = map("targets by name", label("a target"), readRemoteWrite);

function readFewTargets(value: unknown, at: Cursor): Record<string, RemoteWriteDocument> | undefined {
  const targets = readTargets(value, at);
  const count = Object.keys(targets ?? {}).length;
  if (count <= mostTargets) return targets;
  return report(at, "out-of-range", `It has ${count} targets; ${mostTargets} are the most.`);
}

export const readMetrics: Read<MetricsDocument> = object<MetricsDocument>("what becomes of metrics", {
  remoteWrite: optional(readFewTargets),
});
