import { type Labels, metricName } from "../series/labels.ts";

/** One sample of a series. */
export interface Point {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

/** Samples in the text format, those of one metric together and told to be of no known type. They come sorted by name. */
export function writeText(points: readonly Point[]): string {
  const lines: string[] = [];
  let before: string | undefined;
  for (const { labels, timeMs, value } of points) {
    const { name, pairs } = partsOf(labels);
    if (name !== before) lines.push(`# TYPE ${plainName.test(name) ? name : quoted(name)} untyped\n`);
    before = name;
    const series = plainName.test(name)
      ? `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""}`
      : `{${[quoted(name), ...pairs].join(",")}}`;
    lines.push(`${series} ${formatNumber(value)} ${timeMs}\n`);
  }
  return lines.join("");
}

const plainName = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const plainLabel = /^[A-Za-z_][A-Za-z0-9_]*$/;

function partsOf(labels: Labels): { readonly name: string; readonly pairs: readonly string[] } {
  let name = "";
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const [label = "", value = ""] = [labels[i], labels[i + 1]];
    if (label === metricName) name = value;
    else pairs.push(`${plainLabel.test(label) ? label : quoted(label)}=${quoted(value)}`);
  }
  return { name, pairs };
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
