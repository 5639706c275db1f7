import uPlot from "uplot";
import { stepsOf } from "./metrics-answer.ts";
import type { Grid } from "./metrics-range.ts";
import { type Unit, valueText } from "./metrics-unit.ts";
import "uplot/dist/uPlot.min.css";

/** What uPlot is told: the axes, colours and lines of a chart. The only file that knows it. */

export interface PlotLine {
  readonly values: Float64Array;
  /** Index of its colour. */
  readonly colour: number;
  readonly shown: boolean;
}

export interface PlotLook {
  readonly lines: readonly string[];
  readonly ink: string;
  readonly grid: string;
  readonly font: string;
}

export interface PlotNeeds {
  readonly look: PlotLook;
  readonly unit: Unit;
  readonly lines: readonly PlotLine[];
  readonly stacked: boolean;
  /** Asked anew for each drawing, so that a chart can move on. */
  grid(): Grid;
  onCursor(index: number | undefined): void;
  onZoom(startMs: number, endMs: number): void;
}

/** How many colours there are to tell lines apart; then they begin again. */
export const colourCount = 10;

/** The colours of the theme as a canvas takes them. */
export function readLook(element: HTMLElement): PlotLook {
  const probe = document.createElement("span");
  element.append(probe);
  const read = (token: string) => {
    probe.style.color = `var(--color-${token})`;
    return getComputedStyle(probe).color;
  };
  const look = {
    lines: Array.from({ length: colourCount }, (_, index) => read(`chart-${index + 1}`)),
    ink: read("soft"),
    grid: read("line"),
    font: `12px ${getComputedStyle(element).fontFamily}`,
  };
  probe.remove();
  return look;
}

type Column = (number | null)[];

/** Seconds, and for each line its values; what is not there is a gap. Stacked: each on top of those before. */
export function dataOf(grid: Grid, lines: readonly PlotLine[], stacked: boolean): uPlot.AlignedData {
  const count = stepsOf(grid);
  const times = Array.from({ length: count }, (_, index) => (grid.startMs + index * grid.stepMs) / 1_000);
  const base = new Float64Array(count);
  const columns = lines.map(({ values, shown }) => {
    const column: Column = new Array(count).fill(null);
    for (let index = 0; index < count; index++) {
      const value = values[index] ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      if (stacked && shown) base[index] = (base[index] ?? 0) + value;
      column[index] = stacked && shown ? (base[index] ?? 0) : value;
    }
    return column;
  });
  return [times, ...columns];
}

export function makePlot(target: HTMLElement, size: { width: number; height: number }, needs: PlotNeeds): uPlot {
  const { look, lines, stacked } = needs;
  const options: uPlot.Options = {
    ...size,
    legend: { show: false },
    padding: [12, 12, 0, 0],
    scales: {
      x: { time: true, range: () => rangeOf(needs.grid()) },
      y: { range: stacked ? (plot, least, greatest) => yRange(plot, Math.min(0, least ?? 0), greatest) : yRange },
    },
    axes: [timeAxis(look), valueAxis(needs)],
    series: [{}, ...lines.map((line) => seriesOf(line, look, stacked))],
    bands: stacked ? bandsOf(lines) : [],
    cursor: {
      drag: { x: true, y: false, setScale: false, dist: 4 },
      points: { size: 6, one: lines.length > 12 },
      focus: { prox: lines.length > 12 ? 24 : -1 },
    },
    focus: { alpha: 1 },
    hooks: {
      setCursor: [(plot) => needs.onCursor(plot.cursor.idx ?? undefined)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          needs.onZoom(plot.posToVal(left, "x") * 1_000, plot.posToVal(left + width, "x") * 1_000);
        },
      ],
    },
  };
  return new uPlot(options, dataOf(needs.grid(), lines, stacked), target);
}

function rangeOf({ startMs, endMs, stepMs }: Grid): [number, number] {
  return [startMs / 1_000, Math.max(endMs, startMs + stepMs) / 1_000];
}

/** Some room above and below; from zero when the values are near it; a flat line lies in the middle. */
function yRange(_plot: uPlot, least: number | null, greatest: number | null): [number, number] {
  if (least === null || greatest === null) return [0, 1];
  if (least === greatest) {
    const half = Math.abs(least) / 2 || 1;
    return least >= 0 && least - half <= 0 ? [0, least * 2 || 1] : [least - half, least + half];
  }
  const [min, max] = uPlot.rangeNum(least, greatest, {
    min: { pad: 0.08, soft: 0, mode: 3 },
    max: { pad: 0.08, soft: 0, mode: 3 },
  });
  return [min ?? 0, max ?? 1];
}

function seriesOf({ colour, shown }: PlotLine, { lines }: PlotLook, stacked: boolean): uPlot.Series {
  const stroke = lines[colour % colourCount] ?? "gray";
  return {
    show: shown,
    stroke,
    width: 1.5,
    spanGaps: false,
    points: { size: 4, fill: stroke, filter: lonePoints },
    ...(stacked ? { fill: faded(stroke) } : {}),
  };
}

function faded(colour: string): string {
  return colour.startsWith("rgb(")
    ? colour.replace("rgb(", "rgba(").replace(")", ", 0.25)")
    : colour.replace(")", " / 0.25)");
}

/** A point without neighbours makes no line, so it is drawn as a dot. */
const lonePoints: uPlot.Series.Points.Filter = (plot, index, show) => {
  if (show) return null;
  const column = plot.data[index] as Column;
  const alone: number[] = [];
  for (let at = 0; at < column.length; at++) {
    if (column[at] != null && column[at - 1] == null && column[at + 1] == null) alone.push(at);
  }
  return alone.length > 0 ? alone : null;
};

/** Between each line and the one below it. */
function bandsOf(lines: readonly PlotLine[]): uPlot.Band[] {
  const shown = lines.flatMap((line, index) => (line.shown ? [index + 1] : []));
  return shown.slice(1).map((upper, index) => ({ series: [upper, shown[index] as number] }));
}

function timeAxis({ ink, grid, font }: PlotLook): uPlot.Axis {
  return {
    ...{ stroke: ink, font, space: 72, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } },
    values: (_plot, splits, _axis, _space, incrementS) =>
      splits.map((s, index) => timeText(s, splits[index - 1], incrementS)),
  };
}

/** The day where it begins, or is the first; the time of day, as exact as the marks are. In the reader's time zone. */
export function timeText(seconds: number, before: number | undefined, incrementS: number): string {
  const at = new Date(seconds * 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const sameDay = before !== undefined && new Date(before * 1_000).toDateString() === at.toDateString();
  const sameYear = before !== undefined && new Date(before * 1_000).getFullYear() === at.getFullYear();
  if (incrementS >= 86_400) return sameYear ? day : `${day}\n${at.getFullYear()}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}${incrementS < 60 ? `:${two(at.getSeconds())}` : ""}`;
  return sameDay ? clock : `${clock}\n${day}`;
}

/** Sizes are divided by powers of two, so that marks fall on whole numbers of their unit. */
const powersOfTwo = Array.from({ length: 70 }, (_, power) => 2 ** power);

function valueAxis({ look, unit }: PlotNeeds): uPlot.Axis {
  return {
    ...{ stroke: look.ink, font: look.font, space: 36 },
    grid: { stroke: look.grid, width: 1 },
    ticks: { show: false },
    ...(unit.kind === "bytes" ? { incrs: powersOfTwo } : {}),
    values: (_plot, splits) => splits.map((value) => valueText(Number(value.toPrecision(12)), unit)),
    size: (_plot, values) => 20 + 7 * Math.max(3, ...(values ?? []).map((text) => String(text).length)),
  };
}
