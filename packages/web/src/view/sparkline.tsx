import { memo } from "react";
import { cx } from "./class-names.ts";

interface SparklineProps {
  /** Evenly in time; NaN is a gap. Undefined before there are any: the place is kept. */
  readonly values: Float64Array | undefined;
  /** The value that is drawn at the top; the greatest of them when left out. */
  readonly top?: number | undefined;
  readonly className?: string;
}

const [width, height] = [100, 28];

/** The course of something at a glance, beside its value: for who listens, the value says it. */
export const Sparkline = memo(({ values, top, className }: SparklineProps) => {
  const path = values === undefined ? "" : sparkPath(values, top);
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      className={cx("block h-7 w-full overflow-visible", className)}
    >
      <line x1="0" x2={width} y1={height} y2={height} className="stroke-line" vectorEffect="non-scaling-stroke" />
      {path !== "" && <path d={sparkArea(path)} stroke="none" className="fill-chart-1/15" />}
      {path !== "" && (
        <path
          d={path}
          fill="none"
          strokeWidth="1.5"
          strokeLinejoin="round"
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
          className="stroke-chart-1"
        />
      )}
    </svg>
  );
});

/** Between the line and the ground. */
export function sparkArea(path: string): string {
  return path
    .split("M")
    .filter(Boolean)
    .map((run) => {
      const [first = "0", last = first] = [/^[\d.]+/.exec(run)?.[0], /([\d.]+) [\d.]+$/.exec(run)?.[1]];
      return `M${run}L${last} ${height}L${first} ${height}Z`;
    })
    .join("");
}

/** As an SVG path in a box of 100 × 28, from zero up; a lone value is a dot. */
export function sparkPath(values: Float64Array, top?: number): string {
  const finite = values.filter(Number.isFinite);
  const most = top ?? Math.max(0, ...finite);
  const parts: string[] = [];
  let pen = false;
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      pen = false;
      return;
    }
    const x = values.length < 2 ? width : (index * width) / (values.length - 1);
    const y = most > 0 ? height - (Math.min(most, Math.max(0, value)) / most) * (height - 2) : height;
    const at = `${Number(x.toFixed(1))} ${Number(y.toFixed(1))}`;
    parts.push(pen ? `L${at}` : `M${at}h0`);
    pen = true;
  });
  return parts.join("");
}
