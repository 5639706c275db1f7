import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { silentTrace, type Trace } from "#base/trace.ts";
import type { MetricNote } from "#engine/exposition/text.ts";
import type { Point } from "#engine/exposition/write-text.ts";
import type { Cardinality } from "#engine/tsdb/cardinality.ts";
import type { Outbox } from "#engine/tsdb/outbox.ts";
import { type RunningStore, startTsdb } from "#engine/tsdb/remote.ts";
import type { Appended, Batch, TsdbStats } from "#engine/tsdb/tsdb.ts";
import { makeTurnstile } from "#port/turnstile.ts";
import type { Pieces } from "#wire/handler.ts";
import { newestOf } from "./federate.ts";
import { isLittle, makeKeep } from "./keep.ts";
import { type Described, openMetadata } from "./metadata.ts";
import type { Span } from "./metric.ts";
import { atOnce, mostTimeoutMs, retainMs, tiers } from "./setting.ts";
import { makeAskSmall } from "./small.ts";
import { openTargets, type Targets } from "./target.ts";
import { openThread } from "./thread.ts";
import type { Kept, Question, Selectors, Sent } from "./thread-message.ts";

export interface MetricNeeds {
  /** The store's own. */
  readonly folder: string;
  readonly clock: Clock;
  readonly trace?: Trace;
}

/** The samples that the hub keeps, and what is asked of them. The store opens when it is first used. */
export interface Metrics {
  /**
   * In Prometheus' envelope. Of a range `stepMs` 0 asks for the moment `startMs`; without selectors all series count. Faults of a
   * query that cannot be read are told from those of one that fails.
   */
  ask(question: Question, signal: AbortSignal): Promise<Pieces>;
  /** Reads samples and keeps them. When it returns, the samples taken are on the disk. */
  keep(sent: Sent, tenant: string): Promise<Kept>;
  /** When it returns, the samples taken are on the disk. */
  append(batch: Batch, tenant: string): Promise<Appended>;
  /** The same for samples of any age. */
  backfill(batch: Batch, tenant: string): Promise<Appended>;
  /** Removes their samples in the span; they are gone when it returns. */
  remove(selectors: Selectors, span: Span): Promise<void>;
  note(note: MetricNote): void;
  described(): Promise<ReadonlyMap<string, Described>>;
  /** What is scraped. */
  readonly targets: Targets;
  /** The newest samples of the series that fulfil one of the selectors and have not ended. */
  newest(selectors: Selectors, atMs: number, signal: AbortSignal): Promise<readonly Point[]>;
  /** Where the series in memory come from; lists of at most `most`. */
  cardinality(most: number): Promise<Cardinality>;
  stats(): Promise<TsdbStats>;
  /** What is sent on to others. */
  outbox(): Promise<Outbox>;
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
      const opened = await startTsdb(folder, { retainMs, tiers });
      void opened.ended.then(forget);
      return opened;
    } catch (thrown) {
      forget();
      throw thrown;
    }
  }

  const thread = openThread({ store, clock });
  const keepHere = makeKeep();
  const askSmall = makeAskSmall({ store, clock });

  return {
    ask(question, signal) {
      const timeoutMs = Math.min(question.kind === "query" ? question.timeoutMs : mostTimeoutMs, mostTimeoutMs);
      const limited = question.kind === "query" ? { ...question, timeoutMs } : question;
      return inTurn(async (inner) => (await askSmall(limited, inner)) ?? thread.ask(limited, timeoutMs, inner), signal);
    },
    async keep(sent, tenant) {
      // A thread costs more than a machine's scrape does.
      const here = !thread.awake && isLittle(sent);
      const kept = here ? await keepHere(await store(), sent, tenant) : await thread.keep(sent, tenant);
      for (const note of kept.notes) metadata.note(note);
      return kept;
    },
    append: async (batch, tenant) => (await store()).append(batch, tenant),
    backfill: async (batch, tenant) => (await store()).backfill(batch, tenant),
    async remove(selectors, span) {
      const opened = await store();
      for (const matchers of selectors) await opened.delete({ matchers, ...span });
    },
    note: (note) => metadata.note(note),
    described: () => metadata.all(),
    targets: openTargets(),
    newest: (selectors, atMs, signal) =>
      inTurn(async (inner) => newestOf(await store(), selectors, atMs, inner), signal),
    cardinality: async (most) => (await store()).cardinality(most),
    stats: async () => (await store()).stats(),
    outbox: async () => (await store()).outbox,
    maintain: async () => (await store()).maintain(),
    async close() {
      closed = true;
      await thread.close();
      // One that could not be opened has nothing to close.
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
      await metadata.close();
    },
  };
}
