import { memo, useMemo, useState } from "react";
import { Card } from "../view/card.tsx";
import { cx } from "../view/class-names.ts";
import { ErrorState } from "../view/error-state.tsx";
import { plainText } from "../view/format.ts";
import type { Told } from "./board.ts";
import type { Chart as Figure } from "./machine-figure.ts";
import { greatestOf, momentOf, seriesText } from "./metrics-answer.ts";
import { Chart, type ChartLine } from "./metrics-chart.tsx";
import { Legend } from "./metrics-legend.tsx";
import type { Grid } from "./metrics-range.ts";

/** Who can tell more lines apart? */
const mostDrawn = 12;
const nobody: ReadonlySet<string> = new Set();

interface MachineChartProps {
  readonly figure: Figure;
  readonly grid: Grid;
  /** Undefined while the first answer is on its way: the place is kept. */
  readonly told: Told | undefined;
  onZoom(startMs: number, endMs: number): void;
}

/** One figure over time, with its crosshair shared by all of the page. */
export const MachineChart = memo(({ figure, grid, told, onZoom }: MachineChartProps) => {
  const [index, setIndex] = useState<number>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(nobody);
  const lines = useMemo(() => linesOf(figure, told), [figure, told]);
  const isolated = lines.some(({ key }) => chosen.has(key)) ? chosen : nobody;
  const left = lines.length < mostDrawn ? 0 : (told?.lines.length ?? 0) - lines.length;
  return (
    <Card
      flush
      className="@container"
      title={figure.title}
      actions={
        left > 0 && <span className="text-small text-soft">{`${lines.length} greatest of ${lines.length + left}`}</span>
      }
    >
      <div className="min-h-78">
        {lines.length > 0 ? (
          <>
            <Chart
              {...{ lines, grid, isolated, onZoom }}
              label={figure.title}
              unit={figure.unit}
              stacked={figure.stacked}
              sync="machine"
              always={figure.always}
              height="h-44"
              onCursor={setIndex}
            />
            <Legend
              {...{ lines, index, isolated }}
              atMs={index === undefined ? undefined : momentOf(grid, index)}
              lettered={false}
              steady
              onIsolate={setChosen}
              className="h-24 @md:grid-cols-2 @md:gap-x-4"
            />
          </>
        ) : (
          <Nothing told={told} />
        )}
      </div>
    </Card>
  );
});

function Nothing({ told }: { readonly told: Told | undefined }) {
  if (told?.failure) return <ErrorState thrown={told.failure.thrown} />;
  return (
    <div
      role={told ? undefined : "status"}
      className={cx(
        "flex h-44 items-center justify-center text-soft",
        !told && "m-4 animate-pulse rounded-base bg-hover",
      )}
    >
      {told ? "Nothing was measured in this time." : <span className="sr-only">Loading the chart</span>}
    </div>
  );
}

/** In a pile, what is nothing all the time says nothing. */
function linesOf({ nameOf, unit, stacked }: Figure, told: Told | undefined): readonly ChartLine[] {
  const all = (told?.lines ?? []).map(({ labels, values }): ChartLine => {
    return { key: seriesText(labels), letter: "", name: plainText(nameOf(labels)), labels, unit, values };
  });
  const drawn = stacked ? all.filter(({ values }) => values.some((value) => value > 0)) : all;
  return greatestOf(drawn, mostDrawn);
}
