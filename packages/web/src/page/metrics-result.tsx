import { ChartNoAxesCombined } from "lucide-react";
import { useMemo, useState } from "react";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { Switch } from "../view/field.tsx";
import { momentText } from "../view/format.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { greatestOf, moveTo, readValue, seriesText, shortNames, summarise } from "./metrics-answer.ts";
import type { Asked } from "./metrics-ask.ts";
import { Chart, type ChartLine } from "./metrics-chart.tsx";
import { Legend } from "./metrics-legend.tsx";
import type { Grid } from "./metrics-range.ts";
import { SeriesTable, type TableRow } from "./metrics-table.tsx";
import { commonUnit, type Unit, unitOf, valueText } from "./metrics-unit.ts";

/** Who can tell more lines apart? */
const mostDrawn = 100;

interface RangeLines {
  readonly grid: Grid;
  readonly lines: readonly ChartLine[];
}

/** The lines of all queries on the newest of their grids; undefined before the first answer. */
function linesOf(all: readonly Asked[]): RangeLines | undefined {
  const ranges = all.flatMap(({ answered, told }) =>
    answered !== undefined && told?.answer.kind === "range" ? [{ ask: answered, answer: told.answer }] : [],
  );
  const [first] = ranges.toSorted((a, b) => b.answer.grid.endMs - a.answer.grid.endMs);
  if (first === undefined) return undefined;
  const { grid } = first.answer;
  const lines = ranges.flatMap(({ ask, answer }) => {
    const names = shortNames(answer.lines.map(({ labels }) => labels));
    const unit = unitOf(ask.text);
    return answer.lines.map(({ labels, values }, index): ChartLine => {
      const key = `${ask.id} ${seriesText(labels)}`;
      const name = names[index] === "{}" ? ask.text : (names[index] ?? "");
      return { key, letter: ask.id, name, labels, unit, values: moveTo(values, answer.grid, grid) };
    });
  });
  return { grid, lines };
}

interface ResultProps {
  readonly asked: readonly Asked[];
  readonly lettered: boolean;
}

interface ChartResultProps extends ResultProps {
  readonly stacked: boolean;
  onStacked(stacked: boolean): void;
  onZoom(startMs: number, endMs: number): void;
}

export function ChartResult({ asked, lettered, stacked, onStacked, onZoom }: ChartResultProps) {
  const [index, setIndex] = useState<number>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const range = useMemo(() => linesOf(asked), [asked]);
  const lines = useMemo(() => greatestOf(range?.lines ?? [], mostDrawn), [range]);
  const isolated = useMemo(
    () => (lines.some(({ key }) => chosen.has(key)) ? chosen : new Set<string>()),
    [lines, chosen],
  );
  if (range === undefined) return <Waiting asked={asked} />;
  if (lines.length === 0) return <Nothing />;
  const { grid } = range;
  const atMs = index === undefined ? undefined : grid.startMs + index * grid.stepMs;
  return (
    <Card flush className="@container">
      <div className="flex flex-wrap items-center justify-between gap-x-4 px-4 pt-2 text-small text-soft">
        <span>
          {lines.length < range.lines.length
            ? `${lines.length} of ${range.lines.length.toLocaleString("en")} series drawn: those with the greatest mean`
            : `${lines.length} series`}
        </span>
        <Switch label="Stacked" checked={stacked} onChange={onStacked} />
      </div>
      <Chart
        lines={lines}
        grid={grid}
        unit={commonUnit(lines.map(({ unit }) => unit))}
        stacked={stacked}
        isolated={isolated}
        onCursor={setIndex}
        onZoom={onZoom}
      />
      <Legend lines={lines} index={index} atMs={atMs} lettered={lettered} isolated={isolated} onIsolate={setChosen} />
    </Card>
  );
}

const exactText = (value: number) =>
  Number.isFinite(value) ? String(value) : valueText(value, { kind: "number", perSecond: false });

/** At one moment: the end of the range. */
export function ValuesResult({ asked, lettered }: ResultProps) {
  const rows = useMemo(
    () =>
      asked.flatMap(({ answered: ask, told }): readonly TableRow[] => {
        const { answer } = told ?? {};
        if (ask === undefined || answer?.kind !== "instant") return [];
        const unit = unitOf(ask.text);
        return answer.points.map(({ labels, text }) => {
          const name = seriesText(labels);
          const [number, shown] = [readValue(text), shownValue(text, unit)];
          return { key: `${ask.id} ${name}`, letter: ask.id, name, numbers: [number], texts: [shown], exact: [text] };
        });
      }),
    [asked],
  );
  const atMs = asked.find(({ told }) => told?.answer.kind === "instant")?.answered?.grid.endMs;
  if (atMs === undefined) return <Waiting asked={asked} />;
  if (rows.length === 0) return <Nothing />;
  return (
    <Card flush title={`At ${momentText(atMs)}`}>
      <SeriesTable label="Values" rows={rows} columns={["Value"]} lettered={lettered} />
    </Card>
  );
}

/** A text that a query yields is shown as it is. */
function shownValue(text: string, unit: Unit): string {
  const value = readValue(text);
  return Number.isNaN(value) ? text : valueText(value, unit);
}

/** Over the range. */
export function SummaryResult({ asked, lettered }: ResultProps) {
  const range = useMemo(() => linesOf(asked), [asked]);
  const rows = useMemo(
    () =>
      (range?.lines ?? []).map(({ key, letter, labels, values, unit }): TableRow => {
        const { least, mean, greatest, last } = summarise(values);
        const numbers = [least, mean, greatest, last];
        return {
          ...{ key, letter, name: seriesText(labels), numbers },
          texts: numbers.map((number) => (Number.isNaN(number) ? "–" : valueText(number, unit))),
          exact: numbers.map(exactText),
        };
      }),
    [range],
  );
  if (range === undefined) return <Waiting asked={asked} />;
  if (rows.length === 0) return <Nothing />;
  return (
    <Card flush title={`${momentText(range.grid.startMs)} to ${momentText(range.grid.endMs)}`}>
      <SeriesTable label="Summary" rows={rows} columns={["Least", "Mean", "Greatest", "Last"]} lettered={lettered} />
    </Card>
  );
}

function Waiting({ asked }: Pick<ResultProps, "asked">) {
  if (asked.length === 0)
    return <p className="px-1 text-soft">Nothing is asked: no query that is shown can be read.</p>;
  if (!asked.some(({ busy }) => busy)) return <p className="px-1 text-soft">No answer came: the query says why.</p>;
  return (
    <Card flush>
      <div className="min-h-64">
        <SkeletonRows label="Asking the hub" />
      </div>
    </Card>
  );
}

function Nothing() {
  return (
    <Card>
      <EmptyState icon={ChartNoAxesCombined} title="No series has a value here">
        <p>
          Choose a longer range, or name fewer conditions. A metric that is misspelt looks the same: let it be proposed.
        </p>
      </EmptyState>
    </Card>
  );
}
