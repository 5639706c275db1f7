/** An exporter: something that tells metrics in Prometheus' way, on a machine or about it. */

import type { Duration, ExporterDocument } from "../document.ts";
import { type Cursor, type Read, report } from "../read/cursor.ts";
import { label, variable } from "../read/name.ts";
import { duration, text } from "../read/scalar.ts";
import { map, object, optional, required } from "../read/shape.ts";
import { type HttpAuthProps, readHttpAuth, readUrl } from "./peer.ts";

/**
 * What an exporter is; its URL alone stands for one that has nothing else to say.
 *
 * @example
 * exporters: {
 *   node: "http://192.168.1.5:9100/metrics",
 *   unpoller: { url: "http://192.168.1.5:9130/metrics", every: "30s", labels: { site: "home" } },
 *   backup: { url: "https://nas.lan/metrics", auth: { token: { secret: "NAS_TOKEN" } } },
 * }
 */
export interface ExporterProps<X extends string = string> {
  /** Such as `"http://192.168.1.5:9100/metrics"`; without user and password. */
  readonly url: `http://${string}` | `https://${string}`;
  /** Between two scrapes, `"1s"` to `"1h"`; as often as its machine is looked at when left out. */
  readonly every?: Duration;
  /** Of one scrape, not longer than `every`; 10 s, or `every` if that is less, when left out. */
  readonly timeout?: Duration;
  /** Added to each series: `{ site: "home" }`. `machine`, `job` and `instance` are fed's to say. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Who the hub is there: a user with a password, or the bearer of a token. */
  readonly auth?: HttpAuthProps<X>;
}

const mostExporters = 32;
const reserved = ["machine", "job", "instance"];

const readLabelName: Read<string> = (value, at) => {
  if (typeof value !== "string" || !(reserved.includes(value) || value.startsWith("__"))) {
    return variable("a label")(value, at);
  }
  const hint = reserved.includes(value) ? "It says by itself which machine and exporter a series is of." : undefined;
  return report(at, "reserved-name", `A label cannot be called "${value}" here: fed uses it.`, hint);
};

const readExporter = object<ExporterDocument>("an exporter", {
  url: required(readUrl),
  every: optional(duration("1s", "1h")),
  timeout: optional(duration("100ms", "1h")),
  labels: optional(
    map('labels, such as { site: "home" }', readLabelName, text({ what: "the text of a label", longest: 1_024 })),
  ),
  auth: optional(readHttpAuth),
});

const readByName = map(
  'exporters by name, such as { node: "http://192.168.1.5:9100/metrics" }',
  label("an exporter"),
  (value, at): ExporterDocument | undefined => {
    if (typeof value !== "string") return readExporter(value, at);
    const url = readUrl(value, at);
    return url === undefined ? undefined : { url };
  },
);

export function readExporters(value: unknown, at: Cursor): Record<string, ExporterDocument> | undefined {
  const exporters = readByName(value, at);
  const count = Object.keys(exporters ?? {}).length;
  if (count <= mostExporters) return exporters;
  return report(at, "out-of-range", `It has ${count} exporters; ${mostExporters} are the most.`);
}
