import { type KeyboardEvent, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import { useAppearance } from "../appearance.ts";
import { cx } from "../view/class-names.ts";
import { momentText } from "../view/format.ts";
import type { Line } from "./metrics-answer.ts";
import { momentOf, stepsOf } from "./metrics-answer.ts";
import { dataOf, type PlotLine } from "./metrics-columns.ts";
import { makePlot, pointAt, readLook } from "./metrics-plot.ts";
import type { Grid } from "./metrics-range.ts";
import { type Unit, valueText } from "./metrics-unit.ts";

/** One line of the chart, whichever query it is of. */
export interface ChartLine extends Line {
  /** Tells it from all others: its query and its labels. */
  readonly key: string;
  readonly letter: string;
  readonly name: string;
  readonly unit: Unit;
}

interface ChartProps {
  readonly lines: readonly ChartLine[];
  readonly grid: Grid;
  readonly unit: Unit;
  readonly stacked: boolean;
  /** Only these are drawn; empty: all. */
  readonly isolated: ReadonlySet<string>;
  /** What it is a chart of, where there are several. */
  readonly label?: string;
  /** Charts with the same one have their crosshair in common. */
  readonly sync?: string;
  /** Values that are always in sight. */
  readonly always?: readonly [least: number, greatest: number];
  /** How high it is, as classes. */
  readonly height?: string;
  onCursor(index: number | undefined): void;
  onZoom(startMs: number, endMs: number): void;
}

/** Which theme the canvas must be drawn for. */
function useTheme(): string {
  const { theme } = useAppearance();
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const onChange = () => setDark(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  return theme === "system" ? (dark ? "dark" : "light") : theme;
}

/** Lines over time. Dragging chooses a range; arrow keys move the crosshair. */
export function Chart(props: ChartProps) {
  const { lines, grid, unit, stacked, isolated, onCursor } = props;
  const plot = useRef<uPlot>(undefined);
  const theme = useTheme();
  const [index, setIndex] = useState<number>();
  const last = stepsOf(grid) - 1;
  const move = (event: KeyboardEvent) => {
    const made = plot.current;
    const from = index ?? last + (event.key === "ArrowLeft" ? 1 : 0);
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -last, End: last }[event.key];
    if (made === undefined || step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(last, from + step));
    pointAt(made, momentOf(grid, next) / 1_000, next);
  };
  const shownIndex = Math.min(index ?? last, last);
  const atText = momentText(momentOf(grid, shownIndex));
  const [first] = lines;
  const valueOfFirst = first && `: ${first.name} ${valueText(first.values[shownIndex] ?? Number.NaN, first.unit)}`;
  // A plot is made anew when what it is made of changes; new values are only put in.
  const drawn = `${theme} ${stacked} ${unit.kind} ${unit.perSecond}`;
  const shape = [drawn, ...lines.map(({ key }) => key), "only", ...isolated].join("\n");
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`${props.label ?? `Chart of ${lines.length} series`}; the moment that is looked at`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={shownIndex}
      aria-valuetext={atText + (valueOfFirst ?? "")}
      onKeyDown={move}
      className="outline-offset-[-2px]"
    >
      <Plot
        key={shape}
        {...props}
        plot={plot}
        onCursor={(next) => {
          setIndex(next);
          onCursor(next);
        }}
      />
    </div>
  );
}

function Plot({ plot, ...props }: ChartProps & { readonly plot: RefObject<uPlot | undefined> }) {
  const { lines, grid, stacked, isolated, height = "h-[clamp(14rem,40dvh,26rem)]" } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plotLines = useMemo(
    () =>
      lines.map(({ values, key }, colour): PlotLine => {
        return { values, colour, shown: isolated.size === 0 || isolated.has(key) };
      }),
    [lines, isolated],
  );
  const latest = useRef({ ...props, plotLines });
  latest.current = { ...props, plotLines };
  useEffect(() => {
    const target = frame.current;
    if (target === null) return;
    const { unit, stacked: piled, sync, always } = latest.current;
    const made = makePlot(
      target,
      { width: target.clientWidth, height: target.clientHeight },
      {
        ...{ look: readLook(target), unit, stacked: piled, lines: latest.current.plotLines, sync, always },
        grid: () => latest.current.grid,
        onCursor: (index) => latest.current.onCursor(index),
        onZoom: (startMs, endMs) => latest.current.onZoom(startMs, endMs),
      },
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height: target.clientHeight }));
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [plot]);
  useEffect(() => {
    plot.current?.setData(dataOf(grid, plotLines, stacked));
  }, [plot, grid, plotLines, stacked]);
  return <div ref={frame} className={cx(height, "w-full overflow-hidden")} />;
}
