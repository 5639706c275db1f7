import { bars, meansOf, type TimedValue } from "./spark.ts";

/**
 * A chart of bars, the highest line first: the mean of each of `width` equal parts of the span, blank where no finite value
 * is. The lowest bar is one eighth of a line high, the highest `height` lines.
 */
export function chart(
  points: readonly TimedValue[],
  span: { readonly startMs: number; readonly endMs: number },
  { width, height }: { readonly width: number; readonly height: number },
): readonly string[] {
  const means = meansOf(points, span.startMs, span.endMs, width);
  const there = means.filter((mean) => mean !== undefined);
  const [least, greatest] = [Math.min(...there), Math.max(...there)];
  const levels = means.map((mean) => (mean === undefined ? 0 : levelOf(mean, least, greatest, height * bars.length)));
  return Array.from({ length: height }, (_, line) => {
    const below = (height - 1 - line) * bars.length;
    const cells = levels.map((level) => (level <= below ? " " : bars[Math.min(bars.length, level - below) - 1]));
    return cells.join("").trimEnd();
  });
}

/** From 1 to `most`; what never changes stands in the middle. */
function levelOf(mean: number, least: number, greatest: number, most: number): number {
  if (least === greatest) return Math.ceil(most / 2);
  // Halved first: the difference of two finite numbers may not be.
  const share = (mean / 2 - least / 2) / (greatest / 2 - least / 2);
  return Math.min(most, 1 + Math.floor(share * most));
}
