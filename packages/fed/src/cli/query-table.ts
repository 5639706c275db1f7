import { quote } from "#engine/promql/quote.ts";
import type { QueryData, WireMetric, WireSample } from "#wire/metric.ts";
import { chart } from "./chart.ts";
import { sparkline } from "./spark.ts";
import type { Span, Table } from "./table.ts";
import { fit, widthOf } from "./text.ts";

type Vector = Extract<QueryData, { readonly resultType: "vector" }>["result"];
export type Matrix = Extract<QueryData, { readonly resultType: "matrix" }>["result"];

const metricName = "__name__";

/** Names of labels that any of these has: the metric's name first, the others sorted. */
export function labelNamesOf(metrics: readonly WireMetric[]): readonly string[] {
  const names = new Set(metrics.flatMap((metric) => Object.keys(metric)));
  return [...names].sort((a, b) => Number(b === metricName) - Number(a === metricName) || (a < b ? -1 : 1));
}

/** A row for each series, a column for each label. In the order of the answer: `sort` and `topk` mean theirs. */
export function instantTable(vector: Vector): Table {
  const names = labelNamesOf(vector.map(({ metric }) => metric));
  const value = { title: "VALUE", align: "right" } as const;
  return {
    columns: [...(names.length === 0 ? ["series"] : names).map((name) => ({ title: titleOf(name) })), value],
    rows: vector.map(({ metric, value: [, text] }) => [
      ...(names.length === 0 ? ["{}"] : names.map((name) => metric[name] ?? "")),
      { text, style: "strong" },
    ]),
  };
}

function titleOf(name: string): string {
  return name === metricName ? "METRIC" : name.toUpperCase();
}

const gaps = 8;
const widestChart = 60;
const narrowestChart = 10;

/**
 * A row for each series with its line over time, from its own least value to its own greatest. Names are cut when it shall fit
 * into `columns`.
 */
export function rangeTable(
  matrix: Matrix,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  { columns, cut }: { readonly columns: number; readonly cut: boolean },
): Table {
  const rows = matrix.map(({ metric, values }) => ({ name: seriesText(metric), values, of: factsOf(values) }));
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(widthOf));
  const numbers = (["least", "greatest", "last"] as const).map((key) =>
    Math.max(4, widest(rows.map(({ of }) => of[key]))),
  );
  const room = columns - gaps - numbers.reduce((sum, width) => sum + width, 0);
  const whole = widest(rows.map(({ name }) => name));
  const nameWidth = Math.max(6, cut ? Math.min(whole, Math.floor(room / 2)) : whole);
  const width = Math.max(narrowestChart, Math.min(widestChart, room - nameWidth));
  const number = { align: "right" } as const;
  return {
    columns: [
      { title: "SERIES" },
      { title: "OVER TIME" },
      { title: "MIN", ...number },
      { title: "MAX", ...number },
      { title: "LAST", ...number },
    ],
    rows: rows.map(({ name, values, of }) => [
      fit(name, nameWidth),
      { text: sparkline(values.map(pointOf), startMs, endMs, width), style: "accent" },
      of.least,
      of.greatest,
      { text: of.last, style: "strong" },
    ]),
  };
}

const chartHeight = 8;

/** One series alone, as large as there is room: its name, the chart with its least and greatest value, and the last one. */
export function rangeChart(
  { metric, values }: Matrix[number],
  span: { readonly startMs: number; readonly endMs: number },
  columns: number,
): readonly (readonly Span[])[] {
  const { least, greatest, last } = factsOf(values);
  const margin = Math.max(widthOf(least), widthOf(greatest));
  const width = Math.max(narrowestChart, columns - margin - 4);
  const lines = chart(values.map(pointOf), span, { width, height: chartHeight });
  const label = (line: number) => (line === 0 ? greatest : line === chartHeight - 1 ? least : "");
  return [
    [{ text: seriesText(metric), style: "strong" }, `  now ${last}`],
    ...lines.map((bar, line): Span[] => [
      { text: `${label(line).padStart(margin)} │ `, style: "dim" },
      { text: bar, style: "accent" },
    ]),
  ];
}

function pointOf([seconds, text]: WireSample) {
  return { atMs: seconds * 1000, value: numberOf(text) };
}

/** A value as Prometheus writes it. */
function numberOf(text: string): number {
  return Number(text.replace(/Inf$/, "Infinity"));
}

/** NaN is neither least nor greatest, unless there is nothing else. */
function factsOf(values: readonly WireSample[]) {
  let [least, greatest] = [Number.NaN, Number.NaN];
  for (const [, text] of values) {
    const value = numberOf(text);
    if (!(value >= least)) least = Number.isNaN(value) ? least : value;
    if (!(value <= greatest)) greatest = Number.isNaN(value) ? greatest : value;
  }
  return {
    least: shortText(least),
    greatest: shortText(greatest),
    last: shortText(numberOf(values.at(-1)?.[1] ?? "NaN")),
  };
}

/** Of what is not whole six digits do for a glance; `--json` and `--csv` have all. */
function shortText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(6))).replace(/Infinity$/, "Inf");
}

/** A series as PromQL writes it: `up{job="node"}`. */
export function seriesText(metric: WireMetric): string {
  const { [metricName]: name = "", ...labels } = metric;
  const pairs = labelNamesOf([labels]).map((label) => `${label}=${quote(labels[label] ?? "")}`);
  return pairs.length === 0 && name !== "" ? name : `${name}{${pairs.join(", ")}}`;
}
