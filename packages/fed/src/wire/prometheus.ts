import { z } from "zod";
import { type Body, endpoint } from "./endpoint.ts";
import * as metric from "./metric.ts";
import type { Access } from "./role.ts";

/** What Grafana, promtool and Prometheus' own pages ask for besides queries. Shapes: Prometheus 3.5, web/api/v1/api.go. */

const nothing = z.object({});
const names = z.record(z.string(), z.string());
const text = z.string().max(100_000);
const limit = z.coerce.number().int().min(0).optional();
const counts = z.array(z.object({ name: z.string(), value: z.number() }));

const targetShape = z.object({
  discoveredLabels: names,
  labels: names,
  scrapePool: z.string(),
  scrapeUrl: z.string(),
  globalUrl: z.string(),
  lastError: z.string(),
  lastScrape: z.string(),
  lastScrapeDuration: z.number(),
  health: z.enum(["up", "down", "unknown"]),
  scrapeInterval: z.string(),
  scrapeTimeout: z.string(),
});

const targetsShape = z.object({
  activeTargets: z.array(targetShape),
  droppedTargets: z.array(z.unknown()),
  droppedTargetCounts: z.record(z.string(), z.number()),
});

const targetNotesShape = z.array(
  z.object({ target: names, metric: z.string(), type: z.string(), help: z.string(), unit: z.string() }),
);

const runtimeShape = z.object({
  startTime: z.string(),
  CWD: z.string(),
  hostname: z.string(),
  serverTime: z.string(),
  reloadConfigSuccess: z.boolean(),
  lastConfigTime: z.string(),
  corruptionCount: z.number().int(),
  goroutineCount: z.number().int(),
  GOMAXPROCS: z.number().int(),
  GOMEMLIMIT: z.number().int(),
  GOGC: z.string(),
  GODEBUG: z.string(),
  storageRetention: z.string(),
});

const cardinalityShape = z.object({
  headStats: z.object({
    numSeries: z.number().int(),
    numLabelPairs: z.number().int(),
    chunkCount: z.number().int(),
    /** Milliseconds since the epoch. */
    minTime: z.number().int(),
    maxTime: z.number().int(),
  }),
  seriesCountByMetricName: counts,
  labelValueCountByLabelName: counts,
  memoryInBytesByLabelName: counts,
  seriesCountByLabelValuePair: counts,
});

export type WireTarget = z.infer<typeof targetShape>;
export type WireTargets = z.infer<typeof targetsShape>;
export type WireTargetNotes = z.infer<typeof targetNotesShape>;
export type WireRuntime = z.infer<typeof runtimeShape>;
export type WireCardinality = z.infer<typeof cardinalityShape>;

const exemplarsInput = z.object({
  query: text,
  start: z.string().max(64).optional(),
  end: z.string().max(64).optional(),
});
const targetsInput = z.object({ state: z.string().max(20).optional(), scrapePool: z.string().max(200).optional() });
const targetNotesInput = z.object({ match_target: text.optional(), metric: text.optional(), limit });

function ask<const I extends z.ZodType, const O extends z.ZodType>(path: string, summary: string, input: I, data: O) {
  const output = metric.answerOf(data);
  return endpoint({ method: "GET", path, role: "viewer", answer: "prometheus", summary, input, output });
}

function byForm<const I extends z.ZodType, const O extends z.ZodType>(of: { path: string; input: I; output: O }) {
  const body: Body = "form";
  const summary = "The same for long queries: a form in the body.";
  return endpoint({ ...of, method: "POST", role: "viewer", answer: "prometheus", body, summary });
}

function probe(path: string, summary: string, role: Access = "open") {
  return endpoint({ method: "GET", path, role, answer: "text", summary, input: nothing, output: z.string() });
}

const parseQuery = ask(
  "/api/v1/parse_query",
  "PromQL as a tree, as Prometheus' pages show it.",
  metric.formatInput,
  z.unknown(),
);
const queryExemplars = ask(
  "/api/v1/query_exemplars",
  "None: exemplars are not kept.",
  exemplarsInput,
  z.array(z.unknown()),
);

export const prometheusApi = {
  parseQuery,
  parseQueryByForm: byForm(parseQuery),
  queryExemplars,
  queryExemplarsByForm: byForm(queryExemplars),
  rules: ask("/api/v1/rules", "Groups of rules: none yet.", nothing, z.object({ groups: z.array(z.unknown()) })),
  alerts: ask(
    "/api/v1/alerts",
    "Alerts that wait or fire: none yet.",
    nothing,
    z.object({ alerts: z.array(z.unknown()) }),
  ),
  alertmanagers: ask(
    "/api/v1/alertmanagers",
    "Alertmanagers that are told of alerts: none.",
    nothing,
    z.object({ activeAlertmanagers: z.array(z.unknown()), droppedAlertmanagers: z.array(z.unknown()) }),
  ),
  targets: ask("/api/v1/targets", "What is scraped, and how that went last.", targetsInput, targetsShape),
  targetNotes: ask(
    "/api/v1/targets/metadata",
    "What the metrics of each target say of themselves.",
    targetNotesInput,
    targetNotesShape,
  ),
  scrapePools: ask(
    "/api/v1/scrape_pools",
    "Names of the jobs that scrape.",
    nothing,
    z.object({ scrapePools: z.array(z.string()) }),
  ),
  configText: ask(
    "/api/v1/status/config",
    "What is scraped, as Prometheus' configuration says it.",
    nothing,
    z.object({ yaml: z.string() }),
  ),
  flags: ask("/api/v1/status/flags", "The settings that Prometheus has flags for.", nothing, names),
  runtimeInfo: ask("/api/v1/status/runtimeinfo", "The process that answers.", nothing, runtimeShape),
  cardinality: ask(
    "/api/v1/status/tsdb",
    "Which metrics and labels have most series in memory.",
    z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(10) }),
    cardinalityShape,
  ),
  federate: endpoint({
    ...{ method: "GET", path: "/federate", role: "viewer", answer: "text" },
    summary:
      "The newest samples of the series that match, in the text format of Prometheus, for another one to scrape.",
    input: z.object({ "match[]": metric.selectors }),
    output: z.string(),
  }),
  healthy: probe("/-/healthy", "Is the hub there? As Prometheus is asked."),
  readyAsPrometheus: probe("/-/ready", "Can the hub take wishes? As Prometheus is asked."),
} as const;
