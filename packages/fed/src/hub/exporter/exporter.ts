import { type ExporterDocument, type HttpAuth, type MachineDocument, scrapeTimes } from "@fed/lab";
import { type Labels, labelsOf, labelsToRecord } from "#engine/series/labels.ts";

/** An exporter as it is scraped. */
export interface ExporterTarget {
  readonly machine: string;
  readonly name: string;
  readonly url: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly auth: HttpAuth | undefined;
  /** What every series of it bears: `machine`, `job`, `instance`, and what the lab adds. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Which one it is, over edits of the lab. */
export function keyOf({ machine, name }: Pick<ExporterTarget, "machine" | "name">): string {
  return `${machine}/${name}`;
}

/** The exporters of a lab, by their keys. */
export function targetsIn(machines: Readonly<Record<string, MachineDocument>>): ReadonlyMap<string, ExporterTarget> {
  const targets = Object.entries(machines).flatMap(([machine, document]) =>
    Object.entries(document.exporters ?? {}).map(([name, exporter]) => ({
      ...{ machine, name, url: exporter.url, auth: exporter.auth },
      ...scrapeTimes(document, name),
      labels: { ...exporter.labels, machine, job: name, instance: instanceOf(exporter) },
    })),
  );
  return new Map(targets.map((target) => [keyOf(target), target]));
}

/** As Prometheus names a target: host and port, the port also where a URL may leave it out. */
function instanceOf({ url }: Pick<ExporterDocument, "url">): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/** What its series bear. Those of an edited target are the same ones only when this is. */
export function isSameSource(one: ExporterTarget, other: ExporterTarget): boolean {
  return JSON.stringify(labelsOf(one.labels)) === JSON.stringify(labelsOf(other.labels));
}

/**
 * What a series says of itself, and what the target's labels say of it: those win, and what it said under such a name is called
 * `exported_…`. Source: Prometheus 3.5, scrape/target.go, `honor_labels: false`.
 */
export function labelsOfTarget(told: Labels, own: Readonly<Record<string, string>>): Labels {
  const record = labelsToRecord(told);
  const taken = Object.keys(own).filter((name) => record[name] !== undefined);
  if (taken.length === 0) return labelsOf({ ...record, ...own });
  const merged: Record<string, string> = { ...record, ...own };
  for (const name of taken.sort((a, b) => a.length - b.length)) {
    let free = `exported_${name}`;
    while (merged[free] !== undefined) free = `exported_${free}`;
    merged[free] = record[name] as string;
  }
  return labelsOf(merged);
}

/** Failures in a row before a machine has a problem: one may be a restart of the exporter. */
const toldAfter = 3;

/** How an exporter has done so far. */
export interface Standing {
  readonly failures: number;
  /** It has answered since it is known. */
  readonly proven: boolean;
  /** What its machine's problem is; "" for none. */
  readonly problem: string;
}

export const unproven: Standing = { failures: 0, proven: false, problem: "" };

/**
 * After one more scrape: `error` is why it failed, `lacks` what of it was not taken. An exporter of a machine that is not there
 * itself is no news; one that has never answered is wrong in the lab, most likely, so that is told at once.
 */
export function standingAfter(
  before: Standing,
  { error, lacks }: { readonly error: string; readonly lacks: string },
  isThere: boolean,
): Standing {
  if (error === "") return { failures: 0, proven: true, problem: lacks };
  if (!isThere) return { ...before, failures: 0, problem: "" };
  const failures = before.failures + 1;
  const worth = !before.proven || failures >= toldAfter || before.problem !== "";
  return { ...before, failures, problem: worth ? error : "" };
}
