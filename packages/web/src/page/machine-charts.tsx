import { useNavigate } from "@tanstack/react-router";
import { useCallback, useRef } from "react";
import { useConnection } from "../live.ts";
import { StateDot } from "../view/badge.tsx";
import { Time } from "../view/time.tsx";
import type { BoardState } from "./board-ask.ts";
import { useBoard, useWanted } from "./board-use.ts";
import { MachineChart } from "./machine-chart.tsx";
import { charts, figuresOf } from "./machine-figure.ts";
import { lastOf, type MachineSearch, spanSearch } from "./machine-search.ts";
import { MachineSpan } from "./machine-span.tsx";
import type { Ticks } from "./machine-ticks.ts";
import { useWidth } from "./metrics-live.ts";
import { between, type Span, stepFor } from "./metrics-range.ts";

interface MachineChartsProps {
  readonly machine: string;
  readonly intervalMs: number;
  /** It does not tell anything now. */
  readonly gone: boolean;
  readonly search: MachineSearch;
  readonly ticks: Ticks;
}

/** A tick that comes while the one before is being drawn waits for so long. */
const pauseMs = 200;

/** What was measured on a machine, live while the span reaches up to now. */
export function MachineCharts({ machine, intervalMs, gone, search, ticks }: MachineChartsProps) {
  const board = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(board);
  const navigate = useNavigate({ from: "/machines/$name" });
  const span = spanOf(search);
  const stepMs = stepFor(span, undefined, chartWidth(widthPx));
  const wanted = useWanted(
    widthPx === undefined
      ? undefined
      : {
          ...{ figures: figuresOf(machine, { stepMs, intervalMs }), stepMs },
          ...(span.kind === "last"
            ? { lengthMs: span.ms }
            : { lengthMs: span.endMs - span.startMs, endMs: span.endMs }),
        },
  );
  const state = useBoard(wanted, ticks, pauseMs);
  const setSpan = useCallback(
    (next: Span) => void navigate({ resetScroll: false, search: (before) => spanSearch(before, next) }),
    [navigate],
  );
  const zoom = useCallback((startMs: number, endMs: number) => setSpan(between(startMs, endMs)), [setSpan]);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <MachineSpan span={span} onSpan={setSpan} />
        <Freshness state={state} live={span.kind === "last"} gone={gone} />
      </div>
      <div ref={board} className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-4 lg:grid-cols-2">
        {state &&
          charts.map((figure) => {
            const told = state.told.get(figure.id);
            if (figure.optional && !told?.failure && (told?.lines ?? []).length === 0) return null;
            return <MachineChart key={figure.id} {...{ figure, told }} grid={state.grid} onZoom={zoom} />;
          })}
      </div>
    </>
  );
}

function spanOf({ last, from, to }: MachineSearch): Span {
  if (from !== undefined && to !== undefined) return between(from * 1_000, to * 1_000);
  return { kind: "last", ms: lastOf(last) };
}

/** Two stand side by side on a wide screen. */
function chartWidth(boardPx = 1_000): number {
  return boardPx >= 900 ? boardPx / 2 : boardPx;
}

/** How far behind the charts are, and whether that is what the reader expects. */
interface FreshnessProps {
  readonly state: BoardState | undefined;
  readonly live: boolean;
  readonly gone: boolean;
}

function Freshness({ state, live, gone }: FreshnessProps) {
  const connection = useConnection();
  const old = state?.failure !== undefined || connection === "reconnecting";
  if (!live || state?.answeredMs === undefined) return <p className="h-6" />;
  return (
    <p className="flex h-6 items-center gap-2 text-small text-soft">
      <StateDot
        look={
          old
            ? { word: "old", tone: "warn" }
            : gone
              ? { word: "nothing new comes", tone: "idle" }
              : { word: "live", tone: "good" }
        }
      />
      {old && (
        <span>
          The last answer came <Time atMs={state.answeredMs} />.
        </span>
      )}
    </p>
  );
}
