import uPlot from "uplot";
import { type Column, dataOf, lonePoints, type PlotLine, timeText } from "./metrics-columns.ts";
import type { Grid } from "./metrics-range.ts";
import { type Unit, valueText } from "./metrics-unit.ts";
import "uplot/dist/uPlot.min.css";

/** What uPlot is told: the axes, colours and lines of a chart. The only file that knows it. */

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
  /** Values that are always in sight; otherwise the range is that of the lines. */
  readonly always: readonly [least: number, greatest: number] | undefined;
  /** Plots with the same one have their crosshair in common. */
  readonly sync: string | undefined;
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

export function makePlot(target: HTMLElement, size: { width: number; height: number }, needs: PlotNeeds): uPlot {
  const { look, lines, stacked, sync } = needs;
  const options: uPlot.Options = {
    ...size,
    legend: { show: false },
    padding: [12, 20, 0, 0],
    scales: {
      x: { time: true, range: () => rangeOf(needs.grid()) },
      y: { range: rangeFor(needs) },
    },
    axes: [timeAxis(look), valueAxis(needs)],
    series: [{}, ...lines.map((line) => seriesOf(line, look, stacked))],
    bands: stacked ? bandsOf(lines) : [],
    cursor: {
      drag: { x: true, y: false, setScale: false, dist: 4 },
      points: { size: 6, one: lines.length > 12 },
      focus: { prox: lines.length > 12 ? 24 : -1 },
      ...(sync === undefined
        ? {}
        : { sync: { key: sync, setSeries: false, scales: ["x", null], filters: { pub: isMove } } }),
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

/** Puts the crosshair at a moment, here and on every chart that shares it, as the mouse does. */
export function pointAt(plot: uPlot, seconds: number, index: number): void {
  const { clientWidth, clientHeight } = plot.over;
  const [left, top] = [plot.valToPos(seconds, "x"), clientHeight / 2];
  plot.setCursor({ left, top }, true);
  const { sync } = plot.cursor;
  if (sync === undefined || sync.key === null) return;
  // By its value: the others may be of another width.
  sync.values = [seconds, Number.NaN];
  uPlot.sync(sync.key).pub("mousemove", plot, left, top, clientWidth, clientHeight, index);
}

/** What others are told of: where the crosshair is, not what is dragged. */
const isMove = (type: string) => type === "mousemove" || type === "mouseleave";

function rangeOf({ startMs, endMs, stepMs, tailMs = endMs }: Grid): [number, number] {
  return [startMs / 1_000, Math.max(tailMs, startMs + stepMs) / 1_000];
}

function rangeFor({ stacked, always }: PlotNeeds): uPlot.Range.Function {
  if (always) {
    const [low, high] = always;
    return (_plot, least, greatest) => [Math.min(low, least ?? low), Math.max(high, (greatest ?? high) * 1.05)];
  }
  return stacked ? (plot, least, greatest) => yRange(plot, Math.min(0, least ?? 0), greatest) : yRange;
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
    points: { size: 4, fill: stroke, filter: dots },
    ...(stacked ? { fill: faded(stroke) } : {}),
  };
}

function faded(colour: string): string {
  return colour.startsWith("rgb(")
    ? colour.replace("rgb(", "rgba(").replace(")", ", 0.25)")
    : colour.replace(")", " / 0.25)");
}

/** A point without neighbours makes no line, so it is drawn as a dot. */
const dots: uPlot.Series.Points.Filter = (plot, index, show) => {
  const alone = show ? [] : lonePoints(plot.data[index] as Column);
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
