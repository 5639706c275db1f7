import { useEffect, useMemo, useRef, useState } from "react";
import { useConnection } from "../live.ts";
import { CopyButton } from "../view/copy.tsx";
import { PageHeader } from "../view/page-header.tsx";
import { Tabs } from "../view/tabs.tsx";
import { letterOf, type MetricsView, type QueryRow as Row } from "./metrics-address.ts";
import type { Asked } from "./metrics-ask.ts";
import { Bar } from "./metrics-bar.tsx";
import { Freshness } from "./metrics-freshness.tsx";
import { noteQuery } from "./metrics-history.ts";
import { useMoment, useWidth } from "./metrics-live.ts";
import type { PickerProps } from "./metrics-picker.tsx";
import { between, gridOf, lengthOf, type Span, stepFor } from "./metrics-range.ts";
import { ChartResult, SummaryResult, ValuesResult } from "./metrics-result.tsx";
import { QueryRow } from "./metrics-row.tsx";
import { mostRows, tabs } from "./metrics-search.ts";
import { Start } from "./metrics-start.tsx";
import { useAsked } from "./metrics-told.ts";
import { useAsks, useDrafts, useKeys, useView } from "./metrics-view.ts";

/** Queries over what was measured: as a chart, as values, as a summary. */
export function MetricsPage() {
  const { view, change } = useView();
  const { rows } = view;
  const { drafts, setDraft } = useDrafts(rows);
  const board = useRef<HTMLDivElement>(null);
  const { shown, asked, stepMs, again, refresh } = useAnswers(view, useWidth(board));
  const drafted = (texts = drafts): readonly Row[] =>
    texts.map((text, index) => ({ text, hidden: rows[index]?.hidden ?? false }));
  const run = (texts = drafts) => {
    for (const text of texts) noteQuery(text);
    if (texts.some((text, index) => text !== rows[index]?.text)) change({ rows: drafted(texts) });
    again();
  };
  const setSpan = (span: Span) => {
    change({ span, live: view.live && span.kind === "last" });
    refresh();
  };
  const setLive = (live: boolean) => {
    change({ live, ...(live ? { span: { kind: "last", ms: lengthOf(view.span) } as const } : {}) }, true);
    refresh();
  };
  useKeys(view.span, setSpan);
  const picker: PickerProps = {
    ...{ span: view.span, chosenStepMs: view.stepMs, stepMs, live: view.live },
    ...{ onSpan: setSpan, onStep: (chosen) => change({ stepMs: chosen }), onLive: setLive },
  };
  const queries = rows.map(({ text }) => text).filter(Boolean);
  return (
    <>
      <PageHeader title="Metrics" about="What was measured, asked in PromQL" actions={<Copies queries={queries} />} />
      <Queries
        {...{ rows, drafts, asked }}
        onDraft={setDraft}
        onRun={() => run()}
        onRow={(index, row) => change({ rows: drafted().with(index, row) }, true)}
        onRemove={(index) => change({ rows: drafted().filter((_, at) => at !== index) })}
      />
      <Bar
        full={rows.length >= mostRows}
        picker={picker}
        onRun={() => run()}
        onAdd={() => change({ rows: [...drafted(), { text: "", hidden: false }] })}
        onChoose={(query) => run(drafts.with(-1, query))}
      />
      <div ref={board} className="min-w-0">
        {queries.length === 0 ? (
          <Start onChoose={(query) => run(drafts.with(0, query))} />
        ) : (
          <Board
            {...{ view, shown, stepMs }}
            onView={(part) => change(part, true)}
            onZoom={(startMs, endMs) => setSpan(between(startMs, endMs))}
          />
        )}
      </div>
    </>
  );
}

interface QueriesProps {
  readonly rows: readonly Row[];
  readonly drafts: readonly string[];
  readonly asked: ReadonlyMap<string, Asked>;
  onDraft(index: number, text: string): void;
  onRun(): void;
  onRow(index: number, row: Row): void;
  onRemove(index: number): void;
}

function Queries({ rows, drafts, asked, onDraft, onRun, onRow, onRemove }: QueriesProps) {
  return (
    <ol aria-label="Queries" className="flex flex-col gap-2">
      {rows.map(({ text, hidden }, index) => {
        const [letter, draft] = [letterOf(index), drafts[index] ?? text];
        return (
          <QueryRow
            key={letter}
            {...{ letter, draft, text, hidden, alone: rows.length === 1, onRun }}
            asked={asked.get(letter)}
            onDraft={(next) => onDraft(index, next)}
            onHide={(off) => onRow(index, { text: draft, hidden: off })}
            onRemove={() => onRemove(index)}
          />
        );
      })}
    </ol>
  );
}

/** Asks the hub for what is in view, once the width is known that the steps go by. */
function useAnswers(view: MetricsView, widthPx: number | undefined) {
  const stepMs = stepFor(view.span, view.stepMs, widthPx ?? 1_000);
  const { nowMs, refresh } = useMoment(view.live, stepMs);
  const [turn, setTurn] = useState(0);
  const asks = useAsks(view, gridOf(view.span, stepMs, nowMs), turn, widthPx !== undefined);
  const asked = useAsked(asks);
  const shown = useMemo(() => asks.flatMap(({ id }) => asked.get(id) ?? []), [asks, asked]);
  const connection = useConnection();
  const failed = useRef(false);
  failed.current = shown.some(({ failure }) => failure !== undefined);
  // A hub that was away is asked again as soon as it is back.
  useEffect(() => {
    if (connection === "live" && failed.current) setTurn((before) => before + 1);
  }, [connection]);
  const again = () => {
    setTurn((before) => before + 1);
    refresh();
  };
  return { shown, asked, stepMs, again, refresh };
}

function Copies({ queries }: { readonly queries: readonly string[] }) {
  return (
    <>
      {queries.length > 0 && <CopyButton text={queries.join("\n")} label="Copy PromQL" word="Copy PromQL" />}
      <CopyButton text={location.href} label="Share: copy a link to this view" word="Share" />
    </>
  );
}

interface BoardProps {
  readonly view: MetricsView;
  readonly shown: readonly Asked[];
  readonly stepMs: number;
  onView(part: Partial<MetricsView>): void;
  onZoom(startMs: number, endMs: number): void;
}

/** The answers, shown one way or another. */
function Board({ view, shown, stepMs, onView, onZoom }: BoardProps) {
  const result = { asked: shown, lettered: view.rows.length > 1 };
  const onStacked = (stacked: boolean) => onView({ stacked });
  const chart = <ChartResult {...result} stacked={view.stacked} onStacked={onStacked} onZoom={onZoom} />;
  return (
    <>
      <Freshness asked={shown} live={view.live} everyMs={stepMs} />
      <Tabs
        label="How it is shown"
        value={view.tab}
        onChange={(id) => onView({ tab: tabs.find((one) => one === id) ?? "chart" })}
        tabs={[
          { id: "chart", label: "Chart", content: chart },
          { id: "values", label: "Values", content: <ValuesResult {...result} /> },
          { id: "summary", label: "Summary", content: <SummaryResult {...result} /> },
        ]}
      />
    </>
  );
}
