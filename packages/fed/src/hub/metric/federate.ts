import type { Point } from "#engine/exposition/write-text.ts";
import { type Labels, labelsKey, labelValue, metricName } from "#engine/series/labels.ts";
import type { Matcher } from "#engine/series/matcher.ts";
import type { Queryable } from "#engine/series/queryable.ts";
import { isStale, type Series } from "#engine/series/series.ts";
import { lookBackMs } from "./setting.ts";

/** The newest sample of each series that fulfils one of the selectors, unless it has ended. Sorted by name and labels. */
export async function newestOf(
  queryable: Queryable,
  selectors: readonly (readonly Matcher[])[],
  atMs: number,
  signal: AbortSignal,
): Promise<readonly Point[]> {
  /** By name and labels. */
  const found = new Map<string, Point>();
  const span = { startMs: atMs - lookBackMs + 1, endMs: atMs };
  for (const matchers of selectors) {
    for await (const batch of queryable.select(
      { ...span, matchers, hint: { stepMs: 0, rangeMs: lookBackMs } },
      signal,
    )) {
      for (const series of batch) {
        const point = lastOf(series);
        if (point) found.set(`${labelValue(point.labels, metricName)}\0${labelsKey(point.labels)}`, point);
      }
    }
  }
  const sorted = [...found].sort(([left], [right]) => (left < right ? -1 : 1));
  return sorted.map(([, { labels, ...rest }]) => ({ labels: withInstance(labels), ...rest }));
}

function lastOf({ labels, times, values }: Series): Point | undefined {
  const last = times.length - 1;
  if (last < 0 || isStale(values, last)) return undefined;
  return { labels, timeMs: times[last] as number, value: values[last] as number };
}

/** Who scrapes with `honor_labels` would give a series without an instance our own, were it not there and empty. */
function withInstance(labels: Labels): Labels {
  return labelValue(labels, "instance") !== "" ? labels : [...labels, "instance", ""];
}
