import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { letterOf, type MetricsView, type QueryRow, searchOf, viewOf } from "./metrics-address.ts";
import type { Ask } from "./metrics-ask.ts";
import { mistakeOf } from "./metrics-colour.ts";
import { type Span, shift, zoom } from "./metrics-range.ts";

/** What is shown, as the address says; changes go there. */
export function useView() {
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
export function useDrafts(rows: readonly QueryRow[]) {
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

/** What the hub is asked. A query that cannot be read is not asked; its box says why. */
export function useAsks(view: MetricsView, grid: Ask["grid"], turn: number, ready: boolean): readonly Ask[] {
  const { startMs, endMs, stepMs } = grid;
  const { rows, tab } = view;
  const kind = tab === "values" ? "instant" : "range";
  return useMemo(() => {
    if (!ready) return [];
    return rows.flatMap(({ text, hidden }, index): readonly Ask[] => {
      if (hidden || text.trim() === "" || mistakeOf(text) !== undefined) return [];
      return [{ id: letterOf(index), text, kind, grid: { startMs, endMs, stepMs }, turn }];
    });
  }, [rows, kind, startMs, endMs, stepMs, turn, ready]);
}

function spanOfKey(key: string, span: Span, nowMs: number): Span | undefined {
  switch (key) {
    case "[":
      return shift(span, -1, nowMs);
    case "]":
      return shift(span, 1, nowMs);
    case "+":
    case "=":
      return zoom(span, 0.5, nowMs);
    case "-":
      return zoom(span, 2, nowMs);
    default:
      return undefined;
  }
}

/** `/` leads to the query, `[` and `]` go earlier and later, `+` and `-` closer and wider, when nobody types. */
export function useKeys(span: Span, setSpan: (span: Span) => void): void {
  const latest = useRef({ span, setSpan });
  latest.current = { span, setSpan };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { target, key } = event;
      const typing = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("[role=dialog], [role=alertdialog], [role=menu]") !== null) return;
      if (key === "/") {
        event.preventDefault();
        document.querySelector<HTMLElement>("textarea")?.focus();
        return;
      }
      const next = spanOfKey(key, latest.current.span, Date.now());
      if (next !== undefined) latest.current.setSpan(next);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
