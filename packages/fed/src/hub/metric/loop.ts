import { type Clock, sleep } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import { type Labels, labelsOf, labelsToRecord, metricName } from "#engine/series/labels.ts";
import { setStale } from "#engine/series/series.ts";
import { ownScrape } from "./setting.ts";
import { goneFrom, makeTaker } from "./take.ts";
import type { Metrics } from "./verbs.ts";

/** What a start has to do comes first: opening the store takes processor and memory. */
const firstMs = 1_000;

/** Takes what the hub tells of itself into its own metrics, as if it were scraped at `instance`. */
export function ownMetricsLoop(needs: {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly instance: string;
  render(): string;
}) {
  const { metrics, clock, instance } = needs;
  const own = { job: "fed", instance };
  const described = new Set<string>();
  const taker = makeTaker({
    change: (labels) => labelsOf({ ...labelsToRecord(labels), ...own }),
    note(note) {
      described.add(note.metric);
      metrics.note(note);
    },
  });
  const named = (name: string) => labelsOf({ [metricName]: name, ...own });
  const [up, took, count] = [named("up"), named("scrape_duration_seconds"), named("scrape_samples_scraped")];
  let before: readonly Labels[] | undefined;

  async function run(signal: AbortSignal) {
    if (before === undefined) await sleep(clock, firstMs, signal);
    const [lastMs, beganTick] = [clock.nowMs(), clock.tickMs()];
    let error = "";
    try {
      await scrape(lastMs, beganTick);
    } catch (thrown) {
      error = toFault(thrown).message;
      throw thrown;
    } finally {
      const target = { ...own, url: `http://${instance}/metrics`, ...ownScrape, metrics: described };
      metrics.targets.report({ ...target, lastMs, tookMs: clock.tickMs() - beganTick, error });
    }
  }

  async function scrape(timeMs: number, beganTick: number) {
    const { labels, values, mistakes } = taker.text(needs.render(), "text", timeMs);
    if (mistakes.count > 0) throw new Fault("internal", `the hub's own metrics are badly told: ${mistakes.words[0]}`);
    // What is told no more has ended here: a query shows it five minutes longer otherwise.
    const gone = goneFrom(labels, before ?? []);
    const all = [...labels, up, took, count, ...gone];
    const cells = new Float64Array(all.length);
    cells.set([...values, 1, (clock.tickMs() - beganTick) / 1_000, labels.length]);
    for (let i = all.length - gone.length; i < all.length; i++) setStale(cells, i);
    const times = new Float64Array(all.length).fill(timeMs);
    const { refusals } = await metrics.append({ labels: all, times, values: cells }, "fed");
    before = labels;
    const [refused] = refusals;
    if (refused) throw new Fault("conflict", `a sample of the hub's own was not taken: ${refused.message}`);
  }

  return {
    name: "metric.own",
    intervalMs: ownScrape.everyMs,
    jitter: 0,
    timeoutMs: ownScrape.timeoutMs,
    immediately: true,
    run,
  };
}

/** Retention goes by the clock also when nothing comes in. */
export function maintainLoop(metrics: Metrics) {
  return {
    name: "metric.maintain",
    intervalMs: 600_000,
    jitter: 0.1,
    timeoutMs: 300_000,
    run: () => metrics.maintain(),
  };
}
