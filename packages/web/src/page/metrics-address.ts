import { printDuration, readDuration } from "@fed/fed/engine/promql/duration.ts";
import { between, type Span, usualSpan } from "./metrics-range.ts";
import type { MetricsSearch, MetricsTab } from "./metrics-search.ts";

/** All that the page shows, as it stands in its address, so that a link shows the same elsewhere. Pure. */

export interface QueryRow {
  readonly text: string;
  readonly hidden: boolean;
}

export interface MetricsView {
  readonly rows: readonly QueryRow[];
  readonly span: Span;
  /** Undefined: by the width of the chart. */
  readonly stepMs: number | undefined;
  readonly live: boolean;
  readonly tab: MetricsTab;
  readonly stacked: boolean;
}

export const letterOf = (index: number): string => String.fromCharCode(65 + index);

export function viewOf(search: MetricsSearch): MetricsView {
  const texts = search.q ?? [];
  return {
    rows: (texts.length === 0 ? [""] : texts).map((text, index) => ({
      text,
      hidden: search.off?.includes(letterOf(index)) ?? false,
    })),
    span: spanOf(search),
    stepMs: lengthMs(search.step),
    live: search.live ?? false,
    tab: search.tab ?? "chart",
    stacked: search.stacked ?? false,
  };
}

function spanOf({ range, from, to }: MetricsSearch): Span {
  if (from !== undefined && to !== undefined && to > from) return between(from * 1_000, to * 1_000);
  const ms = lengthMs(range);
  return ms === undefined ? usualSpan : { kind: "last", ms };
}

function lengthMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const read = readDuration(text);
  return read.kind === "duration" && read.ms >= 1_000 && read.ms <= 400 * 86_400_000 ? read.ms : undefined;
}

export function searchOf({ rows, span, stepMs, live, tab, stacked }: MetricsView): MetricsSearch {
  const off = rows.flatMap(({ hidden }, index) => (hidden ? [letterOf(index)] : [])).join("");
  const texts = rows.map(({ text }) => text);
  return {
    ...(texts.some((text) => text !== "") || texts.length > 1 ? { q: texts } : {}),
    ...(off === "" ? {} : { off }),
    ...(span.kind === "between" ? { from: span.startMs / 1_000, to: span.endMs / 1_000 } : {}),
    ...(span.kind === "last" && span.ms !== lengthMs("1h") ? { range: printDuration(span.ms) } : {}),
    ...(stepMs === undefined ? {} : { step: printDuration(stepMs) }),
    ...(live ? { live } : {}),
    ...(tab === "chart" ? {} : { tab }),
    ...(stacked ? { stacked } : {}),
  };
}
