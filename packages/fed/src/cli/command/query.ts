import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { printDuration, readDuration } from "#engine/promql/duration.ts";
import { api } from "#wire/api.ts";
import type { QueryData } from "#wire/metric.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { durationMs, localTime, momentOf } from "../moment.ts";
import type { Screen } from "../print.ts";
import { csvOf } from "../query-csv.ts";
import { whyEmpty } from "../query-empty.ts";
import { instantTable, type Matrix, rangeChart, rangeTable } from "../query-table.ts";
import { readQuery } from "../query-text.ts";

/** Steps of a range when none is given: about one for each bar. */
const usualSteps = 60;

export const command = defineCommand({
  args: { query: { kind: "word", description: "PromQL; one that begins with - stands after --" } },
  flags: {
    ...hubFlags,
    range: { kind: "text", value: "DURATION", description: "Over so long a time until --at: 1h, 30m, 1h30m, 7d" },
    step: {
      kind: "text",
      value: "DURATION",
      description: `With --range: a value every so often; a ${usualSteps}th when left out`,
    },
    at: { kind: "text", value: "TIME", description: "Not now, but 30m, 1h or 2d ago, or at an ISO time" },
    csv: { kind: "switch", description: "Comma-separated values with a heading, a line for each sample" },
  },
  details: [
    "A table for one moment; with --range a line over time for each series, drawn from its own least to its own greatest,",
    "and a chart for one series alone on a terminal.",
    "With --json the answer of the hub as it is, which is Prometheus'. A query that is wrong is shown with the place.",
  ],
  examples: [
    { line: "fed query up", says: "what the metric up says now" },
    { line: "fed query 'rate(http_requests_total[5m])' --range 1h --step 15s", says: "the last hour, drawn" },
    { line: "fed query 'sum by (job) (up)' --at 2d --json", says: "two days ago, as data" },
    { line: "fed query up --range 1d --csv > up.csv", says: "for a spreadsheet" },
  ],
  async run({ args, flags, env, screen, signal }) {
    if (flags.csv && screen.json) {
      throw new Fault("invalid", "--csv and --json ask for two forms", { hint: "leave one of them out" });
    }
    const span = spanOf(flags, systemClock.nowMs());
    const expr = readQuery(args.query);
    // By POST: a query may be longer than an address.
    const client = await openClient(flags, env, signal);
    const { query } = args;
    const answer =
      span.stepMs === undefined
        ? await client.call(api.queryByForm, { query, time: seconds(span.endMs) }, signal)
        : await client.call(
            api.queryRangeByForm,
            { query, start: seconds(span.startMs), end: seconds(span.endMs), step: seconds(span.stepMs) },
            signal,
          );
    if (screen.json) screen.data(answer);
    else if (flags.csv) screen.verbatim(csvOf(answer.data));
    else show(screen, answer.data, span);
    if (screen.json) return 0;
    if (!flags.csv && isEmpty(answer.data)) {
      // The query has its answer, whatever becomes of the hint.
      const known = await client.call(api.labelValues, { name: "__name__" }, signal).catch(() => undefined);
      if (known) for (const text of whyEmpty(expr, known.data)) screen.note({ text: "hint ", style: "dim" }, text);
    }
    for (const text of answer.warnings ?? []) screen.note({ text: "warning ", style: "warn" }, text);
    for (const text of answer.infos ?? []) screen.note({ text: "note ", style: "dim" }, text);
    return 0;
  },
});

interface Span {
  readonly startMs: number;
  readonly endMs: number;
  /** Undefined for a moment. */
  readonly stepMs: number | undefined;
}

interface SpanFlags {
  readonly range: string | undefined;
  readonly step: string | undefined;
  readonly at: string | undefined;
}

function spanOf({ range, step, at }: SpanFlags, nowMs: number): Span {
  const endMs = at === undefined ? nowMs : momentOf("--at", at, nowMs);
  if (range === undefined) {
    if (step === undefined) return { startMs: endMs, endMs, stepMs: undefined };
    throw new Fault("invalid", "--step is for a range", { hint: "say how long with --range, such as --range 1h" });
  }
  const rangeMs = lengthOf("--range", range);
  const stepMs =
    step === undefined ? Math.max(1, Math.ceil(rangeMs / usualSteps / 1000)) * 1000 : lengthOf("--step", step);
  return { startMs: Math.max(0, endMs - rangeMs), endMs, stepMs };
}

/** As PromQL has it (1h30m, 1w), or as the other commands do (1.5h). */
function lengthOf(flag: string, word: string): number {
  const read = /^(?:[0-9]+(?:ms|[ywdhms]))+$/.test(word) ? readDuration(word) : undefined;
  const ms = read?.kind === "duration" ? read.ms : durationMs(word);
  if (ms !== undefined && ms > 0) return ms;
  const hint = read?.kind === "bad" ? read.hint : "write it like 15s, 5m, 1h, 1h30m or 7d; more than nothing";
  throw new Fault("invalid", `${flag} is no length of time: ${JSON.stringify(word)}`, { hint });
}

function seconds(ms: number): string {
  return String(ms / 1000);
}

function isEmpty({ resultType, result }: QueryData): boolean {
  return (resultType === "vector" || resultType === "matrix") && result.length === 0;
}

function show(screen: Screen, data: QueryData, span: Span): void {
  if (data.resultType === "scalar" || data.resultType === "string") {
    screen.line(data.result[1]);
  } else if (data.result.length === 0) {
    screen.note("no series has a value then");
  } else if (data.resultType === "vector") {
    screen.table(instantTable(data.result));
  } else showRange(screen, data.result, span);
}

function showRange(screen: Screen, matrix: Matrix, span: Span): void {
  // A range selector at one moment has samples of its own times.
  const [startMs, endMs] = span.stepMs === undefined ? timesOf(matrix) : [span.startMs, span.endMs];
  const [first] = matrix;
  if (screen.isTerminal && matrix.length === 1 && first !== undefined) {
    for (const line of rangeChart(first, { startMs, endMs }, screen.columns())) screen.line(...line);
  } else {
    const room = { columns: screen.columns(), cut: screen.isTerminal };
    screen.table(rangeTable(matrix, { startMs, endMs }, room));
  }
  const step = span.stepMs === undefined ? "" : `, a value every ${printDuration(span.stepMs)}`;
  screen.line({ text: `${localTime(startMs)} to ${localTime(endMs)}${step}`, style: "dim" });
}

/** Of the first sample and of the last. */
function timesOf(matrix: Matrix): readonly [number, number] {
  let [first, last] = [Infinity, -Infinity];
  for (const { values } of matrix) {
    first = Math.min(first, values[0]?.[0] ?? first);
    last = Math.max(last, values.at(-1)?.[0] ?? last);
  }
  return [first * 1000, last * 1000];
}
