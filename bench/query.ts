/**
 * How long queries take, of fed, Prometheus and VictoriaMetrics, on the same day of 1,000 series and year of six: through the HTTP API with all of
 * the JSON, warm, and cold (the first query after a restart, the kernel's cache of files dropped where this user may). Medians.
 * A peer that is not installed is left out. Prints figure, peer and ratio; exits 1 when fed takes longer than a Prometheus.
 * `--quick`: 4 hours instead of 24, nothing cold.
 */
import { writeFileSync } from "node:fs";
import { type Made, makeDay, makeYear } from "./query-data.ts";
import { measureGaps } from "./query-gap.ts";
import { openFed, openPrometheuses, openVictoria, type Params, type Peer } from "./query-peer.ts";
import { makeReport } from "./running.ts";

const quick = process.argv.includes("--quick");
const hours = quick ? 4 : 24;
const warmRounds = 15;
/** Answered so long before it counts, and three times at least: just-in-time compilers and caches. */
const warmUpMs = quick ? 300 : 1_000;
const coldRounds = quick ? 0 : 5;

const cpu = "node_cpu_seconds_total";

interface Question {
  readonly name: string;
  readonly query: string;
  readonly stepS: number;
  /** At most so many times Prometheus' time. */
  readonly limit: number;
}

const [minute, day] = [
  { stepS: 60, limit: 1 },
  { stepS: 86_400, limit: 0.1 },
];
const ofDay: readonly Question[] = [
  { name: "one series", query: 'x{nth="40"}', ...minute },
  { name: "sum by (mode) (rate(500 series))", query: `sum by (mode) (rate(${cpu}[5m]))`, ...minute },
  { name: "avg_over_time(500 series[1h])", query: "avg_over_time(x[1h])", ...minute },
  { name: "topk of 1,000 series", query: 'topk(10, {job="node"})', ...minute },
];
const ofYear: readonly Question[] = [
  { name: "a year by day, average", query: "avg_over_time(year[1d])", ...day },
  { name: "a year by day, rate", query: "sum(rate(year[1d]))", ...day },
];

/** Beginning a step after the samples do. */
function paramsOf({ query, stepS }: Question, { startMs, endMs }: Made): Params {
  const [start, end] = [startMs / 1_000 + (stepS > 60 ? stepS : 0), endMs / 1_000 - (stepS > 60 ? 0 : stepS)];
  return { query, start: `${start}`, end: `${end}`, step: `${stepS}` };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** VictoriaMetrics keeps answers; Prometheus and fed do not. */
const uncached = (peer: Peer, params: Params) =>
  peer.name === "VictoriaMetrics" ? { ...params, nocache: "1" } : params;

async function askOften(peer: Peer, params: Params, rounds: number, cold: boolean): Promise<number> {
  const took: number[] = [];
  const own = uncached(peer, params);
  const beganMs = performance.now();
  for (let i = 0; !cold && (i < 3 || performance.now() - beganMs < warmUpMs); i++) await peer.ask("query_range", own);
  for (let i = 0; i < rounds; i++) {
    if (cold) {
      await peer.restart();
      dropFileCache();
    }
    took.push((await peer.ask("query_range", own)).tookMs);
  }
  return median(took);
}

function dropFileCache(): void {
  try {
    writeFileSync("/proc/sys/vm/drop_caches", "1");
  } catch {
    // Not as this user: then it is cold but for the files.
  }
}

/** Points of the answer and how they sum up: who answers something else is no peer. */
async function fingerprint(peer: Peer, params: Params): Promise<string> {
  const { body } = await peer.ask("query_range", params);
  const { data } = JSON.parse(body.toString()) as {
    readonly data: { readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[] };
  };
  const points = data.result.reduce((sum, { values }) => sum + values.length, 0);
  return `${data.result.length} series, ${points} points, ${(body.length / 1e6).toFixed(2)} MB`;
}

/** What the hub's own thread does at a stretch while another evaluates and reads. */
async function reportGaps(store: string): Promise<void> {
  const { startMs, endMs } = parts.day;
  const gaps = await measureGaps(store, "avg_over_time(x[1h])", { startMs, endMs: endMs - 60_000, stepMs: 60_000 });
  for (const [kind, { ownMs, wallMs }] of Object.entries(gaps)) {
    const what = kind === "query" ? "avg_over_time(500 series[1h])" : "a write of 50,000 samples";
    report.limit(`the hub's longest turn, ${what}`, ownMs, 10, "ms");
    process.stdout.write(`  by the clock, others waiting for the processor too: ${wallMs.toFixed(1)} ms\n`);
  }
}

const report = makeReport();
const parts = { day: makeDay(hours), year: makeYear(quick ? 60 : 364) };
const all = [parts.year, parts.day];
const beganMs = performance.now();
const open: Peer[] = [];
try {
  open.push(await openFed(all, reportGaps));
  const fed = open[0] as Peer;
  open.push(...(await openPrometheuses(all)));
  const victoria = await openVictoria(all);
  if (victoria) open.push(victoria);
  process.stdout.write(`filled in ${((performance.now() - beganMs) / 1_000).toFixed(0)} s\n`);
  const asked = [
    ...ofDay.map((question) => ({ question, params: paramsOf(question, parts.day) })),
    ...ofYear.map((question) => ({ question, params: paramsOf(question, parts.year) })),
  ];
  for (const { question, params } of asked) {
    for (const peer of open) process.stdout.write(`  ${peer.name}: ${await fingerprint(peer, params)}\n`);
    for (const [kind, rounds] of [
      ["warm", warmRounds],
      ["cold", coldRounds],
    ] as const) {
      if (rounds === 0) continue;
      const own = await askOften(fed, params, rounds, kind === "cold");
      for (const peer of open.slice(1)) {
        const theirs = await askOften(peer, params, rounds, kind === "cold");
        const name = `${question.name}, ${kind}`;
        if (peer.name.startsWith("Prometheus")) report.atMost(name, own, peer.name, theirs, question.limit, "ms");
        else report.peer(name, own, peer.name, theirs, "ms");
      }
    }
  }
} finally {
  for (const peer of open) await peer.stop();
}
report.end();
