export const bars = "▁▂▃▄▅▆▇█";

/** A point of a line over time. */
export interface TimedValue {
  readonly atMs: number;
  readonly value: number;
}

/**
 * A line of bars, one for each of `width` equal parts of the span: the mean of the finite values in it, a blank where
 * none is. The lowest bar is the least of them, the highest the greatest; what never changes stands in the middle.
 */
export function sparkline(points: readonly TimedValue[], startMs: number, endMs: number, width: number): string {
  const means = meansOf(points, startMs, endMs, width);
  const there = means.filter((mean) => mean !== undefined);
  const [least, greatest] = [Math.min(...there), Math.max(...there)];
  return means.map((mean) => (mean === undefined ? " " : barOf(mean, least, greatest))).join("");
}

/** The mean of the finite values in each of `width` equal parts of the span; undefined where none is. */
export function meansOf(
  points: readonly TimedValue[],
  startMs: number,
  endMs: number,
  width: number,
): readonly (number | undefined)[] {
  const sums = Array.from({ length: width }, () => ({ sum: 0, count: 0 }));
  const scale = endMs > startMs ? width / (endMs - startMs) : 0;
  for (const { atMs, value } of points) {
    const cell = sums[Math.min(width - 1, Math.floor((atMs - startMs) * scale))];
    if (cell === undefined || !Number.isFinite(value)) continue;
    cell.sum += value;
    cell.count++;
  }
  return sums.map(({ sum, count }) => (count === 0 ? undefined : sum / count));
}

function barOf(mean: number, least: number, greatest: number): string {
  if (least === greatest) return bars[3] as string;
  // Halved first: the difference of two finite numbers may not be.
  const share = (mean / 2 - least / 2) / (greatest / 2 - least / 2);
  return bars[Math.min(bars.length - 1, Math.floor(share * bars.length))] as string;
}
