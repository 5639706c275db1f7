import { wordsOf } from "./codec.ts";

interface Columns {
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
  readonly count: number;
}

/**
 * Parts of a series, each ascending, as one, cut to what lies from `startMs` to `endMs`, both included. Of equal times the
 * first part's counts. New arrays of the right length.
 */
export function mergeColumns(parts: readonly Columns[], startMs: number, endMs: number): Columns {
  const cut = parts.flatMap((part) => {
    const [from, to] = [firstAtLeast(part, startMs), firstAtLeast(part, Math.floor(endMs) + 1)];
    return to > from ? [{ part, from, to, first: part.times[from] as number }] : [];
  });
  const count = cut.reduce((sum, { from, to }) => sum + to - from, 0);
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  const words = wordsOf(values);
  cut.sort((a, b) => a.first - b.first);
  const inOrder = cut.every(({ first }, i) => {
    const before = cut[i - 1];
    return before === undefined || (before.part.times[before.to - 1] as number) < first;
  });
  if (!inOrder) return mergeOverlapping(parts, startMs, endMs, count);
  let at = 0;
  for (const { part, from, to } of cut) {
    times.set(part.times.subarray(from, to), at);
    words.set(wordsOf(part.values).subarray(2 * from, 2 * to), 2 * at);
    at += to - from;
  }
  return { times, values, count };
}

/** The general case, which is rare: samples that came late, and spans that were brought in twice. */
function mergeOverlapping(parts: readonly Columns[], startMs: number, endMs: number, most: number): Columns {
  const times = new Float64Array(most);
  const values = new Float64Array(most);
  const words = wordsOf(values);
  const from = parts.map((part) => ({ at: firstAtLeast(part, startMs), part, words: wordsOf(part.values) }));
  let count = 0;
  for (;;) {
    let least: (typeof from)[number] | undefined;
    for (const one of from) {
      if (one.at >= one.part.count || (one.part.times[one.at] as number) > endMs) continue;
      if (least === undefined || (one.part.times[one.at] as number) < (least.part.times[least.at] as number))
        least = one;
    }
    if (least === undefined) break;
    const time = least.part.times[least.at] as number;
    if (count === 0 || time > (times[count - 1] as number)) {
      times[count] = time;
      words[2 * count] = least.words[2 * least.at] as number;
      words[2 * count + 1] = least.words[2 * least.at + 1] as number;
      count++;
    }
    least.at++;
  }
  return { times: times.slice(0, count), values: new Float64Array(words.slice(0, 2 * count).buffer), count };
}

/** The index of the first time that is not before `timeMs`. */
function firstAtLeast({ times, count }: Pick<Columns, "times" | "count">, timeMs: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
