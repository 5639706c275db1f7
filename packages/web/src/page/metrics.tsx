import { useNavigate, useSearch } from "@tanstack/react-router";
import { History, Play, Plus } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useConnection } from "../live.ts";
import { StateDot } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { CopyButton } from "../view/copy.tsx";
import { durationText } from "../view/format.ts";
import { Menu, MenuItem, MenuLabel } from "../view/menu.tsx";
import { useNow } from "../view/now.ts";
import { PageHeader } from "../view/page-header.tsx";
import { Tabs } from "../view/tabs.tsx";
import { Time } from "../view/time.tsx";
import { letterOf, type MetricsView, type QueryRow as Row, searchOf, viewOf } from "./metrics-address.ts";
import type { Ask, Asked } from "./metrics-ask.ts";
import { mistakeOf } from "./metrics-colour.ts";
import { noteQuery, useQueryHistory } from "./metrics-history.ts";
import { useMoment, useWidth } from "./metrics-live.ts";
import { Picker } from "./metrics-picker.tsx";
import { between, gridOf, lengthOf, type Span, shift, stepFor, zoom } from "./metrics-range.ts";
import { ChartResult, SummaryResult, ValuesResult } from "./metrics-result.tsx";
import { QueryRow } from "./metrics-row.tsx";
import { mostRows, tabs } from "./metrics-search.ts";
import { Start } from "./metrics-start.tsx";
import { useAsked } from "./metrics-told.ts";

/** What is shown, as the address says; changes go there. */
function useView() {
  const search = useSearch({ from: "/inside/graph" });
  const navigate = useNavigate({ from: "/graph" });
  const view = useMemo(() => viewOf(search), [search]);
  const change = useCallback(
    (part: Partial<MetricsView>, replace = false) =>
      void navigate({ replace, resetScroll: false, search: searchOf({ ...view, ...part }) }),
    [navigate, view],
  );
  return { view, change };
}

/** What stands in the boxes; what was run elsewhere, as by the browser's way back, takes its place. */
function useDrafts(rows: readonly Row[]) {
  const texts = rows.map(({ text }) => text);
  const of = JSON.stringify(texts);
  const [drafts, setDrafts] = useState({ of, texts });
  if (drafts.of !== of) setDrafts({ of, texts });
  const current = drafts.of === of ? drafts.texts : texts;
  return {
    drafts: current,
    setDraft: (index: number, text: string) => setDrafts({ of, texts: current.with(index, text) }),
  };
}

export function MetricsPage() {
  const { view, change } = useView();
  const { drafts, setDraft } = useDrafts(view.rows);
  const board = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(board);
  const stepMs = stepFor(view.span, view.stepMs, widthPx ?? 1_000);
  const { nowMs, refresh } = useMoment(view.live, Math.max(1_000, stepMs));
  const [turn, setTurn] = useState(0);
  const asks = useAsks(view, gridOf(view.span, stepMs, nowMs), turn, widthPx !== undefined);
  const asked = useAsked(asks);
  const shown = useMemo(() => asks.flatMap(({ id }) => asked.get(id) ?? []), [asks, asked]);
  const again = () => {
    setTurn((before) => before + 1);
    refresh();
  };
  const rowsWith = (texts: readonly string[]): readonly Row[] =>
    texts.map((text, index) => ({ text, hidden: view.rows[index]?.hidden ?? false }));
  const run = (texts: readonly string[] = drafts) => {
    for (const text of texts) noteQuery(text);
    if (texts.some((text, index) => text !== view.rows[index]?.text)) change({ rows: rowsWith(texts) });
    again();
  };
  const setSpan = (span: Span) => {
    change({ span, live: view.live && span.kind === "last" });
    refresh();
  };
  useKeys(view.span, setSpan);
  const lettered = view.rows.length > 1;
  const result = { asked: shown, lettered };
  const onZoom = (startMs: number, endMs: number) => setSpan(between(startMs, endMs));
  const queries = view.rows.map(({ text }) => text).filter(Boolean);
  return (
    <>
      <PageHeader
        title="Metrics"
        about="What was measured, asked in PromQL"
        actions={
          <>
            {queries.length > 0 && <CopyButton text={queries.join("\n")} label="Copy PromQL" word="Copy PromQL" />}
            <CopyButton text={location.href} label="Share: copy a link to this view" word="Share" />
          </>
        }
      />
      <ol aria-label="Queries" className="flex flex-col gap-2">
        {view.rows.map(({ text, hidden }, index) => (
          <QueryRow
            key={letterOf(index)}
            letter={letterOf(index)}
            draft={drafts[index] ?? text}
            text={text}
            hidden={hidden}
            alone={!lettered}
            asked={asked.get(letterOf(index))}
            onDraft={(draft) => setDraft(index, draft)}
            onRun={() => run()}
            onHide={(off) =>
              change({ rows: rowsWith(drafts).with(index, { text: drafts[index] ?? "", hidden: off }) }, true)
            }
            onRemove={() => change({ rows: rowsWith(drafts).filter((_, at) => at !== index) })}
          />
        ))}
      </ol>
      <div className="mt-2 mb-4 flex flex-wrap items-center gap-x-3 gap-y-2">
        <Button kind="primary" icon={Play} onClick={() => run()}>
          Run
        </Button>
        <Button
          icon={Plus}
          disabled={view.rows.length >= mostRows}
          onClick={() => change({ rows: [...rowsWith(drafts), { text: "", hidden: false }] })}
        >
          Add query
        </Button>
        <Recent onChoose={(query) => setDraft(drafts.length - 1, query)} />
        <div className="grow" />
        <Picker
          span={view.span}
          chosenStepMs={view.stepMs}
          stepMs={stepMs}
          live={view.live}
          onSpan={setSpan}
          onStep={(chosen) => change({ stepMs: chosen })}
          onLive={(live) => {
            change({ live, ...(live ? { span: { kind: "last", ms: lengthOf(view.span) } as const } : {}) }, true);
            refresh();
          }}
        />
      </div>
      <div ref={board} className="min-w-0">
        {queries.length === 0 ? (
          <Start onChoose={(query) => run(drafts.with(0, query))} />
        ) : (
          <>
            <Freshness asked={shown} live={view.live} stepMs={stepMs} />
            <Tabs
              label="How it is shown"
              value={view.tab}
              onChange={(id) => change({ tab: tabs.find((one) => one === id) ?? "chart" }, true)}
              tabs={[
                {
                  ...{ id: "chart", label: "Chart" },
                  content: (
                    <ChartResult
                      {...result}
                      stacked={view.stacked}
                      onStacked={(stacked) => change({ stacked }, true)}
                      onZoom={onZoom}
                    />
                  ),
                },
                { id: "values", label: "Values", content: <ValuesResult {...result} /> },
                { id: "summary", label: "Summary", content: <SummaryResult {...result} /> },
              ]}
            />
          </>
        )}
      </div>
    </>
  );
}

/** A query that cannot be read is not asked; its box says why. */
function useAsks(view: MetricsView, grid: Ask["grid"], turn: number, ready: boolean): readonly Ask[] {
  const { startMs, endMs, stepMs } = grid;
  const kind = view.tab === "values" ? "instant" : "range";
  return useMemo(() => {
    if (!ready) return [];
    return view.rows.flatMap(({ text, hidden }, index): readonly Ask[] => {
      if (hidden || text.trim() === "" || mistakeOf(text) !== undefined) return [];
      return [{ id: letterOf(index), text, kind, grid: { startMs, endMs, stepMs }, turn }];
    });
  }, [view.rows, kind, startMs, endMs, stepMs, turn, ready]);
}

/** `/` leads to the query, `[` and `]` go earlier and later, `+` and `-` closer and wider, when nobody types. */
function useKeys(span: Span, setSpan: (span: Span) => void): void {
  const latest = useRef({ span, setSpan });
  latest.current = { span, setSpan };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { target } = event;
      const typing = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("[role=dialog], [role=alertdialog], [role=menu]") !== null) return;
      const { span: now, setSpan: set } = latest.current;
      const nowMs = Date.now();
      if (event.key === "/") {
        event.preventDefault();
        document.querySelector<HTMLElement>("textarea")?.focus();
      } else if (event.key === "[") set(shift(now, -1, nowMs));
      else if (event.key === "]") set(shift(now, 1, nowMs));
      else if (event.key === "+" || event.key === "=") set(zoom(now, 0.5, nowMs));
      else if (event.key === "-") set(zoom(now, 2, nowMs));
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

const recentShown = 15;

function Recent({ onChoose }: { onChoose(query: string): void }) {
  const recent = useQueryHistory();
  if (recent.length === 0) return null;
  return (
    <Menu align="start" trigger={<Button icon={History}>Recent</Button>}>
      <MenuLabel>Asked last on this device</MenuLabel>
      {recent.slice(0, recentShown).map((query) => (
        <MenuItem key={query} onSelect={() => onChoose(query)}>
          <span className="max-w-96 truncate font-mono text-small">{query}</span>
        </MenuItem>
      ))}
    </Menu>
  );
}

/** How old the answer is, when that is not what the reader expects. */
function Freshness({
  asked,
  live,
  stepMs,
}: {
  readonly asked: readonly Asked[];
  readonly live: boolean;
  readonly stepMs: number;
}) {
  const nowMs = useNow(1_000);
  const connection = useConnection();
  const times = asked.flatMap(({ atMs }) => atMs ?? []);
  const failed = asked.some(({ failure }) => failure !== undefined);
  const oldest = Math.min(...times);
  const away = connection === "reconnecting" || (live && times.length > 0 && nowMs - oldest > 2 * stepMs + 10_000);
  // Its place is kept, so that nothing moves when the first answer comes.
  if (times.length === 0) return <p className="h-6" />;
  return (
    <p className="flex h-6 items-center gap-2 text-small text-soft">
      {away || failed ? (
        <>
          <StateDot look={{ word: "old", tone: "warn" }} />
          <span>
            The last answer came <Time atMs={oldest} />.
          </span>
        </>
      ) : live ? (
        <>
          <StateDot look={{ word: "live", tone: "good" }} /> Asked again every {durationText(Math.max(1_000, stepMs))}.
        </>
      ) : (
        <span>
          Asked <Time atMs={oldest} />.
        </span>
      )}
    </p>
  );
}
