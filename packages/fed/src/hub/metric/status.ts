import { availableParallelism, hostname } from "node:os";
import { printDuration } from "#engine/promql/duration.ts";
import { labelsOf } from "#engine/series/labels.ts";
import type { Matcher } from "#engine/series/matcher.ts";
import { compileMatchers } from "#engine/series/matcher.ts";
import type { Cardinality, Count } from "#engine/tsdb/cardinality.ts";
import type { WireCardinality, WireRuntime, WireTargetNotes, WireTargets } from "#wire/prometheus.ts";
import type { Described } from "./metadata.ts";
import { atOnce, lookBackMs, mostTimeoutMs, queryLimits, retainMs } from "./setting.ts";
import type { Target } from "./target.ts";

/** What Prometheus' status pages show, of what is so here. Source: Prometheus 3.5, web/api/v1/api.go. */

const timeText = (ms: number) => new Date(ms).toISOString();

export function targetsOf(targets: readonly Target[], state: string, pool: string | undefined): WireTargets {
  const shown = state === "dropped" ? [] : targets.filter(({ job }) => pool === undefined || pool === job);
  return {
    activeTargets: shown.map(({ job, instance, machine, url, ...last }) => ({
      discoveredLabels: {
        ...{ __address__: instance, __metrics_path__: new URL(url).pathname, __scheme__: schemeOf(url) },
        ...{
          __scrape_interval__: printDuration(last.everyMs),
          __scrape_timeout__: printDuration(last.timeoutMs),
          job,
        },
      },
      labels: labelsOfTarget({ instance, job, machine }),
      ...{ scrapePool: job, scrapeUrl: url, globalUrl: url },
      ...{ lastError: last.error, lastScrape: timeText(last.lastMs), lastScrapeDuration: last.tookMs / 1_000 },
      health: last.error === "" ? ("up" as const) : ("down" as const),
      ...{ scrapeInterval: printDuration(last.everyMs), scrapeTimeout: printDuration(last.timeoutMs) },
    })),
    droppedTargets: [],
    droppedTargetCounts: Object.fromEntries(targets.map(({ job }) => [job, 0])),
  };
}

const schemeOf = (url: string) => new URL(url).protocol.slice(0, -1);

function labelsOfTarget({ instance, job, machine }: Pick<Target, "instance" | "job" | "machine">) {
  return { instance, job, ...(machine === undefined ? {} : { machine }) };
}

/** What is known of other metrics was sent, and is of no target. */
export function targetNotesOf(
  targets: readonly Target[],
  described: ReadonlyMap<string, Described>,
  asked: { readonly matchers: readonly Matcher[]; readonly metric: string | undefined; readonly limit: number },
): WireTargetNotes {
  const test = compileMatchers(asked.matchers);
  const found = targets
    .filter((target) => test(labelsOf(labelsOfTarget(target))))
    .flatMap((target) =>
      [...described]
        .filter(([metric]) => target.metrics.has(metric) && (asked.metric === undefined || asked.metric === metric))
        .map(([metric, one]) => ({ target: labelsOfTarget(target), metric, ...one })),
    );
  return asked.limit > 0 ? found.slice(0, asked.limit) : found;
}

export function configOf(targets: readonly Target[]): string {
  const jobs = targets.map(({ job, instance, url, everyMs, timeoutMs }) =>
    [
      `- job_name: ${job}`,
      `  scrape_interval: ${printDuration(everyMs)}`,
      `  scrape_timeout: ${printDuration(timeoutMs)}`,
      `  metrics_path: ${new URL(url).pathname}`,
      `  scheme: ${schemeOf(url)}`,
      "  static_configs:",
      "  - targets:",
      `    - ${instance}`,
      "",
    ].join("\n"),
  );
  return jobs.length === 0 ? "" : `scrape_configs:\n${jobs.join("")}`;
}

export const flags: Readonly<Record<string, string>> = {
  "query.lookback-delta": printDuration(lookBackMs),
  "query.max-concurrency": String(atOnce.running),
  "query.max-samples": String(queryLimits.samples),
  "query.timeout": printDuration(mostTimeoutMs),
  "storage.tsdb.retention.time": printDuration(retainMs),
  "web.enable-admin-api": "false",
  "web.enable-lifecycle": "false",
  "web.enable-remote-write-receiver": "true",
};

/** Go has settings that Node has not; they are as Go's own when nobody sets them. */
const ofGo = { goroutineCount: 0, GOMEMLIMIT: 0, GOGC: "", GODEBUG: "" };

export function runtimeOf(nowMs: number, upMs: number, damaged: number): WireRuntime {
  const startTime = timeText(nowMs - upMs);
  return {
    ...{ startTime, CWD: process.cwd(), hostname: hostname(), serverTime: timeText(nowMs) },
    ...{ reloadConfigSuccess: true, lastConfigTime: startTime, corruptionCount: damaged },
    ...{ ...ofGo, GOMAXPROCS: availableParallelism(), storageRetention: printDuration(retainMs) },
  };
}

export function wireCardinality(found: Cardinality): WireCardinality {
  const list = (counts: readonly Count[]) => counts.map(({ name, count }) => ({ name, value: count }));
  const { series, labelPairs, chunks, startMs, endMs } = found;
  return {
    headStats: {
      ...{ numSeries: series, numLabelPairs: labelPairs, chunkCount: chunks },
      ...{ minTime: startMs, maxTime: endMs },
    },
    seriesCountByMetricName: list(found.metrics),
    labelValueCountByLabelName: list(found.labels),
    memoryInBytesByLabelName: list(found.labelBytes),
    seriesCountByLabelValuePair: list(found.pairs),
  };
}
