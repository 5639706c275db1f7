import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import { silentTrace, type Trace } from "#base/trace.ts";
import type { MetricNote } from "#engine/exposition/text.ts";
import type { Point } from "#engine/exposition/write-text.ts";
import { evaluate } from "#engine/promql/evaluate.ts";
import { parse } from "#engine/promql/parse.ts";
import type { Result } from "#engine/promql/result.ts";
import { type Labels, labelsKey } from "#engine/series/labels.ts";
import type { Matcher } from "#engine/series/matcher.ts";
import type { Queryable } from "#engine/series/queryable.ts";
import type { Cardinality } from "#engine/tsdb/cardinality.ts";
import { type RunningStore, startTsdb } from "#engine/tsdb/remote.ts";
import type { Appended, Batch, TsdbStats } from "#engine/tsdb/tsdb.ts";
import { makeTurnstile } from "#port/turnstile.ts";
import { executionFault } from "#wire/metric.ts";
import { newestOf } from "./federate.ts";
import { type Described, openMetadata } from "./metadata.ts";
import { bad, type Range, type Span } from "./metric.ts";
import { atOnce, mostTimeoutMs, queryLimits, retainMs } from "./setting.ts";
import { openTargets, type Targets } from "./target.ts";

export interface MetricNeeds {
  /** The store's own. */
  readonly folder: string;
  readonly clock: Clock;
  readonly trace?: Trace;
}

type Selectors = readonly (readonly Matcher[])[];

/** The samples that the hub keeps, and what is asked of them. The store opens when it is first used. */
export interface Metrics {
  /** `stepMs` 0 asks for the moment `startMs`. Faults of a query that cannot be read are told from those of one that fails. */
  query(text: string, range: Range, timeoutMs: number, signal: AbortSignal): Promise<Result>;
  /** Without selectors: all series. */
  series(selectors: Selectors, span: Span, signal: AbortSignal): Promise<readonly Labels[]>;
  labelNames(selectors: Selectors, span: Span, signal: AbortSignal): Promise<readonly string[]>;
  labelValues(name: string, selectors: Selectors, span: Span, signal: AbortSignal): Promise<readonly string[]>;
  /** When it returns, the samples taken are on the disk. */
  append(batch: Batch, tenant: string): Promise<Appended>;
  note(note: MetricNote): void;
  described(): Promise<ReadonlyMap<string, Described>>;
  /** What is scraped. */
  readonly targets: Targets;
  /** The newest samples of the series that fulfil one of the selectors and have not ended. */
  newest(selectors: Selectors, atMs: number, signal: AbortSignal): Promise<readonly Point[]>;
  /** Where the series in memory come from; lists of at most `most`. */
  cardinality(most: number): Promise<Cardinality>;
  stats(): Promise<TsdbStats>;
  /** What is complete becomes blocks, what is too old goes. */
  maintain(): Promise<void>;
  close(): Promise<void>;
}

export function openMetrics({ folder, clock, trace = silentTrace }: MetricNeeds): Metrics {
  let opening: Promise<RunningStore> | undefined;
  let closed = false;
  const metadata = openMetadata({ folder, clock, trace });
  const inTurn = makeTurnstile("the hub's query engine", atOnce);

  async function store(): Promise<RunningStore> {
    if (closed) throw new Fault("unreachable", "the metrics are closed: the hub stops");
    opening ??= open();
    return await opening;
  }

  /** One that could not be opened, or has ended, is opened anew when it is needed next. */
  async function open(): Promise<RunningStore> {
    const forget = () => {
      opening = undefined;
    };
    try {
      const opened = await startTsdb(folder, { retainMs });
      void opened.ended.then(forget);
      return opened;
    } catch (thrown) {
      forget();
      throw thrown;
    }
  }

  return {
    async query(text, range, timeoutMs, signal) {
      const expr = parseQuery(text);
      const options = { ...range, text, clock };
      const given = { ...queryLimits, timeoutMs: Math.min(timeoutMs, mostTimeoutMs) };
      const queryable = await store();
      try {
        return await inTurn((inner) => evaluate(expr, options, queryable, given, inner), signal);
      } catch (thrown) {
        signal.throwIfAborted();
        throw executionFault(toFault(thrown));
      }
    },
    async series(selectors, span, signal) {
      const found = await ofEach(await store(), selectors, span, (queryable, one) => queryable.series(one, signal));
      return selectors.length < 2 ? found : [...new Map(found.map((labels) => [labelsKey(labels), labels])).values()];
    },
    async labelNames(selectors, span, signal) {
      return onceEach(await ofEach(await store(), selectors, span, (from, one) => from.labelNames(one, signal)));
    },
    async labelValues(name, selectors, span, signal) {
      return onceEach(await ofEach(await store(), selectors, span, (from, one) => from.labelValues(name, one, signal)));
    },
    append: async (batch, tenant) => (await store()).append(batch, tenant),
    note: (note) => metadata.note(note),
    described: () => metadata.all(),
    targets: openTargets(),
    newest: async (selectors, atMs, signal) => newestOf(await store(), selectors, atMs, signal),
    cardinality: async (most) => (await store()).cardinality(most),
    stats: async () => (await store()).stats(),
    maintain: async () => (await store()).maintain(),
    async close() {
      closed = true;
      // One that could not be opened has nothing to close.
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
      await metadata.close();
    },
  };
}

/** For whom a fault of the text is one of the request. */
export function parseQuery(text: string): ReturnType<typeof parse> {
  try {
    return parse(text);
  } catch (thrown) {
    throw thrown instanceof Fault && thrown.code === "invalid" ? bad("query", thrown.message, thrown.hint) : thrown;
  }
}

async function ofEach<T>(
  queryable: Queryable,
  selectors: Selectors,
  span: Span,
  ask: (queryable: Queryable, selection: Span & { readonly matchers: readonly Matcher[] }) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const found: (readonly T[])[] = [];
  for (const matchers of selectors.length === 0 ? [[]] : selectors)
    found.push(await ask(queryable, { ...span, matchers }));
  return found.flat();
}

const onceEach = (names: readonly string[]) => [...new Set(names)].sort();
