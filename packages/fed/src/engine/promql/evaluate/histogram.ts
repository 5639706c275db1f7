import { type Labels, labelsKey, labelValue, metricName } from "../../series/labels.ts";
import type { Call, Expr } from "../ast.ts";
import { quote } from "../quote.ts";
import { keepLabels, sameLabels, withoutMetadata } from "./name.ts";
import { checkQuantile } from "./note.ts";
import { type Buckets, bucketFraction, bucketQuantile } from "./quantile.ts";
import { bare, collect, type Draft, emptyDraft, type Frame, isEmpty, type Query, type Visit } from "./query.ts";

interface Bucket {
  readonly bound: number;
  readonly draft: Draft;
}

/** A classic histogram: the series that differ by `le` alone. */
interface Histogram {
  readonly name: string;
  readonly labels: Labels;
  readonly buckets: Bucket[];
}

/** `histogram_quantile(q, v)` and `histogram_fraction(lower, upper, v)`. */
export async function streamHistogram(query: Query, call: Call, frame: Frame, visit: Visit): Promise<void> {
  const args = call.args.map(bare);
  const source = args[args.length - 1] as Expr;
  const params = await Promise.all(args.slice(0, -1).map((arg) => query.scalar(arg, frame)));
  const [first, second] = params as [Float64Array, Float64Array | undefined];
  if (second === undefined) for (const q of first) checkQuantile(query.notes, q, (args[0] as Expr).span);
  const drafts = await collect(query, source, frame);
  const seen = new Set<string>();
  for (const histogram of histogramsOf(query, drafts, source)) {
    const draft = { ...emptyDraft(histogram.labels, frame), dropName: query.delayNames };
    const onForced = () => query.notes.info(`${forcedWords}${namedBy(histogram.name)}`, source.span);
    fill(draft, histogram.buckets, (step, buckets) =>
      second === undefined
        ? bucketQuantile(first[step] as number, buckets, onForced)
        : bucketFraction(first[step] as number, second[step] as number, buckets),
    );
    if (query.budget.due) await query.budget.rest();
    if (isEmpty(draft)) continue;
    const key = labelsKey(histogram.labels);
    if (seen.has(key)) throw sameLabels();
    seen.add(key);
    visit(draft);
  }
}

const forcedWords =
  "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";

function namedBy(name: string): string {
  return name === "" ? "" : ` for metric name ${quote(name)}`;
}

function histogramsOf(query: Query, drafts: readonly Draft[], source: Expr): Iterable<Histogram> {
  const known = new Map<string, Histogram>();
  for (const draft of drafts) {
    const text = labelValue(draft.labels, "le");
    const bound = parseFloatOf(text);
    if (bound === undefined) {
      const words = `bucket label "le" is missing or has a malformed value of ${quote(text)}`;
      query.notes.warn(`${words}${namedBy(labelValue(draft.labels, metricName))}`, source.span);
      continue;
    }
    const rest = keepLabels(draft.labels, (name) => name !== "le");
    const key = labelsKey(rest);
    const labels = query.delayNames ? rest : withoutMetadata(rest);
    const histogram = known.get(key) ?? { name: labelValue(rest, metricName), labels, buckets: [] };
    known.set(key, histogram);
    histogram.buckets.push({ bound, draft });
  }
  return known.values();
}

function fill(draft: Draft, buckets: Bucket[], of: (step: number, buckets: Buckets) => number): void {
  buckets.sort((a, b) => a.bound - b.bound);
  const size = buckets.length;
  const now: Buckets = { bounds: new Float64Array(size), counts: new Float64Array(size), length: 0 };
  for (let i = 0; i < draft.values.length; i++) {
    now.length = 0;
    for (const { bound, draft: bucket } of buckets) {
      if (bucket.present[i] === 0) continue;
      now.bounds[now.length] = bound;
      now.counts[now.length++] = bucket.values[i] as number;
    }
    if (now.length === 0) continue;
    draft.values[i] = of(i, now);
    draft.present[i] = 1;
  }
}

/** A number as Go reads one; undefined when it is none. */
function parseFloatOf(text: string): number | undefined {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
