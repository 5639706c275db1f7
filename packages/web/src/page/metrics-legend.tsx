import { cx } from "../view/class-names.ts";
import { momentText } from "../view/format.ts";
import { seriesText, summarise } from "./metrics-answer.ts";
import type { ChartLine } from "./metrics-chart.tsx";
import { colourCount } from "./metrics-plot.ts";
import { valueText } from "./metrics-unit.ts";

const dots = [
  "bg-chart-1",
  "bg-chart-2",
  "bg-chart-3",
  "bg-chart-4",
  "bg-chart-5",
  "bg-chart-6",
  "bg-chart-7",
  "bg-chart-8",
  "bg-chart-9",
  "bg-chart-10",
] as const;

interface LegendProps {
  readonly lines: readonly ChartLine[];
  /** The step the crosshair is on; undefined: the last value of each. */
  readonly index: number | undefined;
  readonly atMs: number | undefined;
  readonly lettered: boolean;
  readonly isolated: ReadonlySet<string>;
  /** Those with the greatest mean first, which changes seldom: for values that come every second. */
  readonly steady?: boolean;
  /** How high it may become, as classes. */
  readonly className?: string;
  onIsolate(isolated: ReadonlySet<string>): void;
}

function valueAt(values: Float64Array, index: number | undefined): number {
  if (index !== undefined) return values[index] ?? Number.NaN;
  return values.findLast((value) => !Number.isNaN(value)) ?? Number.NaN;
}

/** What is drawn, with the values at the crosshair, the greatest first. A click shows one alone; with Ctrl it joins or leaves. */
export function Legend({
  lines,
  index,
  atMs,
  lettered,
  isolated,
  steady = false,
  className = "max-h-56",
  onIsolate,
}: LegendProps) {
  const rows = lines.map((line, colour) => {
    const value = valueAt(line.values, index);
    return { line, colour, value, weight: steady ? summarise(line.values).mean : value };
  });
  rows.sort((a, b) => (Number.isNaN(a.weight) ? 1 : Number.isNaN(b.weight) ? -1 : b.weight - a.weight));
  const click = (key: string, more: boolean) => {
    const next = new Set(more ? isolated : []);
    if (isolated.has(key) && (more || isolated.size === 1)) next.delete(key);
    else next.add(key);
    onIsolate(next);
  };
  return (
    <div className="border-line border-t px-2 py-2">
      <p className="px-2 pb-1 text-small text-soft">{atMs === undefined ? "The last values" : momentText(atMs)}</p>
      <ul
        aria-label="Series"
        className={cx(className, "grid grid-cols-1 content-start overflow-y-auto @3xl:grid-cols-2 @3xl:gap-x-4")}
      >
        {rows.map(({ line, colour, value }) => (
          <li key={line.key}>
            <button
              type="button"
              aria-pressed={isolated.has(line.key)}
              title={seriesText(line.labels)}
              onClick={(event) => click(line.key, event.ctrlKey || event.metaKey || event.shiftKey)}
              className={cx(
                "flex min-h-6 w-full items-center gap-2 rounded-base px-2 text-left text-small outline-offset-[-2px] hover:bg-hover pointer-coarse:min-h-9",
                isolated.size > 0 && !isolated.has(line.key) && "text-faint",
              )}
            >
              <span aria-hidden className={cx("h-1 w-3 shrink-0 rounded-full", dots[colour % colourCount])} />
              {lettered && <span className="shrink-0 text-soft">{line.letter}</span>}
              <span className="min-w-0 flex-1 truncate font-mono">{line.name}</span>
              <span className="shrink-0 text-right">{Number.isNaN(value) ? "–" : valueText(value, line.unit)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
