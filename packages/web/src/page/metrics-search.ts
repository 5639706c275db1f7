/** What stands in the address of the page; comes with the first code, so it is small. Pure. */

export const tabs = ["chart", "values", "summary"] as const;
export type MetricsTab = (typeof tabs)[number];

/** What of it is written; what is as usual is left out. */
export interface MetricsSearch {
  readonly q?: readonly string[];
  /** Letters of the queries that are hidden. */
  readonly off?: string;
  readonly range?: string;
  /** Seconds since the epoch. */
  readonly from?: number;
  readonly to?: number;
  readonly step?: string;
  readonly live?: boolean;
  readonly tab?: MetricsTab;
  readonly stacked?: boolean;
}

/** As many as can be told apart by a letter and asked at once. */
export const mostRows = 8;
/** Of one query: the address and what the hub is asked stay short enough for every server between. */
export const mostLetters = 5_000;

/** Of an address that anybody may have written: what can be understood. */
export function readSearch(search: Readonly<Record<string, unknown>>): MetricsSearch {
  const { q, off, range, from, to, step, live, tab, stacked } = search;
  const texts = (Array.isArray(q) ? q : q === undefined ? [] : [q])
    .filter((text) => typeof text === "string" || typeof text === "number")
    .map((text) => String(text).slice(0, mostLetters))
    .slice(0, mostRows);
  const known = tabs.find((one) => one === tab);
  return {
    ...(texts.length > 0 ? { q: texts } : {}),
    ...(typeof off === "string" && /^[A-H]{1,8}$/.test(off) ? { off } : {}),
    ...(isLength(range) ? { range } : {}),
    ...(isMoment(from) && isMoment(to) ? { from, to } : {}),
    ...(isLength(step) ? { step } : {}),
    ...(live === true ? { live } : {}),
    ...(known === undefined || known === "chart" ? {} : { tab: known }),
    ...(stacked === true ? { stacked } : {}),
  };
}

function isMoment(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= 8.64e12;
}

function isLength(value: unknown): value is string {
  return typeof value === "string" && /^(\d+(ms|[ywdhms])){1,7}$/.test(value);
}
