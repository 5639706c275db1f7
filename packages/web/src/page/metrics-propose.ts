import type { Completion, Want, Word } from "@fed/fed/engine/promql/complete.ts";

/** Of all that can be written at a place, what is proposed to who types. Pure. */

export interface Proposal {
  readonly kind: Word["kind"] | "metric" | "label" | "value";
  readonly text: string;
  readonly about: string;
  /** What takes the place of what was typed. */
  readonly insert: string;
}

/** What the hub knows: names of metrics, of labels, values of a label, and what metrics say of themselves. */
export interface KnownNames {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
  readonly values: readonly string[];
  readonly about: Readonly<Record<string, string>>;
}

const mostProposals = 100;

/** The best first. `rest` is what stands behind the cursor. */
export function propose({ wants, typed }: Completion, known: KnownNames, rest: string): readonly Proposal[] {
  const all = wants.flatMap((want) => proposalsOf(want, known, rest));
  const lower = typed.toLowerCase();
  const ranked = all.flatMap((one) => {
    const rank = rankOf(one.text.toLowerCase(), lower);
    return rank === undefined ? [] : [{ one, rank }];
  });
  ranked.sort((a, b) => a.rank - b.rank);
  const best = ranked.slice(0, mostProposals).map(({ one }) => one);
  // What is there already need not be proposed.
  return best.length === 1 && best[0]?.text === typed ? [] : best;
}

function proposalsOf(want: Want, known: KnownNames, rest: string): readonly Proposal[] {
  switch (want.kind) {
    case "metric":
      return known.metrics.map((text) => {
        return { kind: "metric", text, about: known.about[text] ?? "", insert: nameText(text) };
      });
    case "label":
      return known.labels
        .filter((text) => text !== "__name__")
        .map((text) => ({ kind: "label", text, about: "", insert: labelText(text) }));
    case "value":
      return known.values.map((text) => {
        return { kind: "value", text, about: "", insert: valueText(text, want.quoted, rest) };
      });
    case "words":
      return want.words.map((word) => ({ ...word, insert: wordText(word, rest) }));
  }
}

const labelText = (name: string) => (plainName.test(name) ? name : JSON.stringify(name));
const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A metric of another name than PromQL's words stands in braces. */
function nameText(name: string): string {
  return /^[A-Za-z_:][A-Za-z0-9_:]*$/.test(name) ? name : `{${JSON.stringify(name)}}`;
}

function valueText(value: string, quoted: boolean, rest: string): string {
  const text = JSON.stringify(value);
  if (!quoted) return text;
  return rest.startsWith('"') ? text.slice(1, -1) : text.slice(1);
}

function wordText({ kind, text }: Word, rest: string): string {
  const calls = kind === "function" || kind === "aggregation";
  return calls && !/^\s*\(/.test(rest) ? `${text}(` : text;
}

/** 0: begins so; 1: a part of it does; 2: it holds it; 3: its letters come in this order. Undefined: none of these. */
function rankOf(text: string, typed: string): number | undefined {
  if (typed === "" || text.startsWith(typed)) return text === typed ? -1 : 0;
  const at = text.indexOf(typed);
  if (at > 0) return /[_:.]/.test(text.charAt(at - 1)) ? 1 : 2;
  let from = 0;
  for (const char of typed) {
    from = text.indexOf(char, from) + 1;
    if (from === 0) return undefined;
  }
  return 3;
}

/** The text with the choice in it, and where the cursor goes. */
export function choose(
  text: string,
  { start, end }: Completion,
  { insert }: Proposal,
): { text: string; cursor: number } {
  return { text: text.slice(0, start) + insert + text.slice(end), cursor: start + insert.length };
}

interface Example {
  readonly query: string;
  readonly about: string;
}

const wellKnown: readonly (readonly [metric: string, query: string, about: string])[] = [
  ["up", "up", "what answers (1) and what does not (0)"],
  ["node_cpu_seconds_total", 'sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))', "busy processors"],
  [
    "fed_http_requests_total",
    "sum by (endpoint) (rate(fed_http_requests_total[5m]))",
    "requests to the hub, per second",
  ],
  [
    "fed_http_request_duration_seconds_bucket",
    "histogram_quantile(0.95, sum by (le) (rate(fed_http_request_duration_seconds_bucket[5m])))",
    "how long most requests took",
  ],
  ["process_resident_memory_bytes", "process_resident_memory_bytes", "memory of each process"],
  ["nodejs_eventloop_lag_p99_seconds", "nodejs_eventloop_lag_p99_seconds", "how late the hub was"],
  [
    "node_filesystem_avail_bytes",
    "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100",
    "room on the disks, in percent",
  ],
];

const mostExamples = 5;

/** A few queries about metrics that are there. */
export function examplesOf(metrics: readonly string[]): readonly Example[] {
  const there = new Set(metrics);
  const known = wellKnown.filter(([metric]) => there.has(metric)).map(([, query, about]) => ({ query, about }));
  const counters = metrics
    .filter((name) => name.endsWith("_total"))
    .map((name) => ({ query: `rate(${name}[5m])`, about: "per second" }));
  const others = metrics
    .filter((name) => !/_(total|bucket|sum|count)$/.test(name))
    .map((query) => ({ query, about: "" }));
  const all = [...known, ...counters, ...others];
  const fresh = all.filter(({ query }, index) => all.findIndex((one) => one.query === query) === index);
  return fresh.slice(0, mostExamples);
}
