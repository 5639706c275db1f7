import type { MachineDocument } from "@fed/lab";
import { toFault } from "#base/fault.ts";
import type { MetricNote } from "#engine/exposition/text.ts";
import { shortNote } from "#hub/metric/metric.ts";
import type { Target } from "#hub/metric/target.ts";
import { type ExporterTarget, isSameSource, targetsIn, unproven } from "./exporter.ts";
import { collectorOf, type Scraped, type ScrapeNeeds, scrapeForever } from "./loop.ts";
import { openScraper } from "./scrape.ts";

export interface ExportersNeeds extends ScrapeNeeds {
  /** What a metric says of itself. */
  note(note: MetricNote): void;
  /** It is scraped no more. */
  forget(target: Pick<Target, "job" | "instance" | "machine">): void;
}

/** Scrapes the exporters that the lab names, each at its own pace. */
export interface Exporters {
  /** The lab says this now: exporters come, change and go. Resolves when it is so, and never rejects. */
  update(machines: Readonly<Record<string, MachineDocument>>): Promise<void>;
  /** Series stay as they are: the next hub scrapes on. */
  close(): Promise<void>;
}

interface Running {
  readonly scraped: Scraped;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Names of metrics of which one exporter may say something. */
const mostDescribed = 10_000;

export function openExporters(needs: ExportersNeeds): Exporters {
  const { clock, trace } = needs;
  const running = new Map<string, Running>();
  const closing = new AbortController();
  let read: Readonly<Record<string, MachineDocument>> | undefined;
  let wanted: ReadonlyMap<string, ExporterTarget> = new Map();
  let updating: Promise<void> | undefined;

  async function settle(): Promise<void> {
    for (let done: typeof wanted | undefined; done !== wanted; ) {
      const next = wanted;
      for (const [key, { scraped }] of running) {
        const after = next.get(key);
        if (!isSame(scraped.target, after)) await change(key, after);
      }
      for (const [key, target] of next) if (!running.has(key)) start(key, toScraped(target));
      done = next;
      if (closing.signal.aborted) return;
    }
  }

  /** A changed exporter goes on with the series it has; one that is another now, or none, ends them. */
  async function change(key: string, after: ExporterTarget | undefined): Promise<void> {
    const before = running.get(key)?.scraped;
    await stop(key);
    if (before === undefined || closing.signal.aborted) return;
    const { target, scraper, standing, described } = before;
    if (standing.problem !== "") needs.problem(target.machine, collectorOf(target.name), undefined);
    if (after !== undefined && isSameSource(target, after)) {
      return start(key, { target: after, scraper, described, standing: unproven });
    }
    const { machine, name: job, labels } = target;
    needs.forget({ machine, job, instance: labels.instance ?? "" });
    try {
      await needs.append(scraper.end(clock.nowMs()), machine);
    } catch (thrown) {
      trace.warn("the end of an exporter's series was not kept", { exporter: key, reason: toFault(thrown).message });
    }
  }

  function toScraped(target: ExporterTarget): Scraped {
    const described = new Set<string>();
    const scraper = openScraper(target.labels, (whole) => {
      const note = shortNote(whole);
      if (note === undefined) return;
      if (described.size < mostDescribed) described.add(note.metric);
      needs.note(note);
    });
    return { target, scraper, described, standing: unproven };
  }

  function start(key: string, scraped: Scraped): void {
    if (closing.signal.aborted) return;
    const stop = new AbortController();
    const ended = scrapeForever(needs, scraped, stop.signal).catch((thrown: unknown) => {
      if (!stop.signal.aborted) trace.error("scraping has ended", { exporter: key, reason: toFault(thrown).message });
    });
    running.set(key, { scraped, stop, ended });
  }

  async function stop(key: string): Promise<void> {
    const one = running.get(key);
    running.delete(key);
    one?.stop.abort(new Error(`${key} is not scraped any more`));
    await one?.ended;
  }

  return {
    async update(machines) {
      // Asked whenever anything has changed: nearly always it is the same document.
      if (closing.signal.aborted || machines === read) return updating;
      read = machines;
      const next = targetsIn(machines);
      if (isSame([...wanted], [...next])) return updating;
      wanted = next;
      updating ??= settle().finally(() => {
        updating = undefined;
      });
      await updating;
    },
    async close() {
      closing.abort();
      await updating;
      await Promise.all([...running.keys()].map(stop));
    },
  };
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
