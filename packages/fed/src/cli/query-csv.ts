import type { QueryData, WireMetric, WireSample } from "#wire/metric.ts";
import { labelNamesOf } from "./query-table.ts";

/** Comma-separated values (RFC 4180) with a heading: the time, a column for each label, the value. A line for each sample. */
export function csvOf(data: QueryData): string {
  const rows = rowsOf(data);
  const names = labelNamesOf(rows.map(({ metric }) => metric));
  const lines = rows.flatMap(({ metric, values }) => {
    const labels = names.map((name) => metric[name] ?? "");
    return values.map(([seconds, value]) => [new Date(Math.round(seconds * 1000)).toISOString(), ...labels, value]);
  });
  return [["time", ...names, "value"], ...lines].map((cells) => `${cells.map(cellOf).join(",")}\n`).join("");
}

interface Row {
  readonly metric: WireMetric;
  readonly values: readonly WireSample[];
}

function rowsOf(data: QueryData): readonly Row[] {
  switch (data.resultType) {
    case "vector":
      return data.result.map(({ metric, value }) => ({ metric, values: [value] }));
    case "matrix":
      return data.result;
    case "scalar":
    case "string":
      return [{ metric: {}, values: [data.result] }];
  }
}

function cellOf(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
