import type { Labels } from "../../series/labels.ts";
import { type Coarse, isStale, type Series } from "../../series/series.ts";

/** The samples of a range, without stale markers. */
export interface Samples {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
  /** As of a series. */
  readonly coarse?: Coarse | undefined;
}

export function freshSamples({ labels, times, values, coarse }: Series): Samples {
  if (coarse !== undefined) return freshCoarse({ labels, times, values, coarse });
  let kept = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]) && isStale(values, i)) {
      if (kept < 0) kept = i;
    } else if (kept >= 0) {
      times[kept] = times[i] as number;
      values[kept++] = values[i] as number;
    }
  }
  if (kept < 0) return { labels, dropName: false, times, values };
  return { labels, dropName: false, times: times.subarray(0, kept), values: values.subarray(0, kept) };
}

/** The columns of summaries lose what belongs to stale markers, too. */
function freshCoarse({ labels, times, values, coarse }: Series & { readonly coarse: Coarse }): Samples {
  const columns = Object.values(coarse.columns);
  let kept = 0;
  while (kept < values.length && !(Number.isNaN(values[kept]) && isStale(values, kept))) kept++;
  let entries = Math.min(kept, coarse.entries);
  for (let i = kept; i < times.length; i++) {
    if (Number.isNaN(values[i]) && isStale(values, i)) continue;
    times[kept] = times[i] as number;
    values[kept] = values[i] as number;
    if (i < coarse.entries) for (const column of columns) column[entries] = column[i] as number;
    if (i < coarse.entries) entries++;
    kept++;
  }
  return {
    labels,
    dropName: false,
    times: times.subarray(0, kept),
    values: values.subarray(0, kept),
    coarse: { ...coarse, entries },
  };
}
