/**
 * What fed and its peers are asked about: a day of 1,000 series, 15 s apart, and a year of a few, a minute apart; and the same as
 * the text that peers read.
 */
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { labelsOf } from "../packages/fed/src/engine/series/labels.ts";
import { usualTiers } from "../packages/fed/src/engine/tsdb/tier.ts";
import { openTsdb } from "../packages/fed/src/engine/tsdb/tsdb.ts";
import { type MadeSeries, nodeSeries, randomOf, scrapeTimes } from "./node-series.ts";

export interface Made {
  readonly series: readonly MadeSeries[];
  readonly times: Float64Array<ArrayBuffer>;
  readonly startMs: number;
  readonly endMs: number;
}

const dayMs = 86_400_000;
const stepS = 15;
const yearStepS = 60;

/** The days before those of `makeDay`. */
export function makeYear(days: number): Made {
  const samples = (days * 86_400) / yearStepS;
  const startMs = Math.floor(Date.now() / dayMs - 2 - days) * dayMs;
  const series = nodeSeries(yearStepS, samples, 6).map(({ values }, nth) => ({
    labels: { __name__: "year", instance: "node5:9100", job: "old", nth: `${nth}` },
    values,
  }));
  const times = scrapeTimes(startMs, yearStepS * 1_000, samples, 2);
  return { series, times, startMs, endMs: startMs + days * dayMs };
}

/** Whole days before today, so that all of it is in blocks: fed's, and Prometheus'. */
export function makeDay(hours: number): Made {
  const samples = (hours * 3_600) / stepS;
  const startMs = Math.floor(Date.now() / dayMs - 2) * dayMs;
  const gauges = nodeSeries(stepS, samples).map(({ values }, nth) => ({
    labels: { __name__: "x", instance: "node5:9100", job: "node", nth: `${nth}` },
    values,
  }));
  const times = scrapeTimes(startMs, stepS * 1_000, samples);
  return { series: [...cpuSeries(samples), ...gauges], times, startMs, endMs: startMs + hours * 3_600_000 };
}

const shares = { idle: 0.9, user: 0.06, system: 0.03, iowait: 0.002, softirq: 0.002, irq: 0.001, nice: 0, steal: 0 };

/** What 500 series of `node_cpu_seconds_total` are: as many modes of as many processors. */
function cpuSeries(samples: number): MadeSeries[] {
  const random = randomOf(5);
  const made: MadeSeries[] = [];
  for (let cpu = 0; made.length < 500; cpu++) {
    for (const [mode, share] of Object.entries(shares)) {
      if (made.length === 500) break;
      let ticks = Math.floor(random() * 1e7 * share);
      const values = Float64Array.from({ length: samples }, () => {
        ticks += Math.round(stepS * 100 * share * (0.5 + random()));
        return ticks / 100;
      });
      const labels = { __name__: "node_cpu_seconds_total", cpu: `${cpu}`, instance: "node5:9100", job: "node", mode };
      made.push({ labels, values });
    }
  }
  return made;
}

/** Fills a folder as a hub's store, in the order of time: all of it in blocks, and what is complete summarised. */
export async function fillStore(folder: string, parts: readonly Made[]): Promise<void> {
  const store = await openTsdb(folder, { clock: systemClock, durability: "relaxed", tiers: usualTiers() });
  let newestMs = 0;
  for (const { series, times, endMs } of parts) {
    const labels = series.map((one) => labelsOf(one.labels));
    // As many scrapes at once as make a thousand rows.
    const scrapes = Math.max(1, Math.floor(1_000 / series.length));
    for (let [i, batches] = [0, 0]; i < times.length; i += scrapes) {
      // A year comes faster than it can be sealed beside.
      if (++batches % 100 === 0) await store.maintain();
      const some = times.subarray(i, i + scrapes);
      await store.append({
        labels: Array.from(some, () => labels).flat(),
        times: Float64Array.from(
          { length: some.length * labels.length },
          (_, row) => some[Math.floor(row / labels.length)] as number,
        ),
        values: rowsOf(series, i, some.length),
      });
    }
    newestMs = endMs;
  }
  // What is still in memory is sealed by one sample of the day after.
  const last = Float64Array.of(newestMs + dayMs - 600_000);
  await store.append({ labels: [labelsOf({ __name__: "last" })], times: last, values: Float64Array.of(1) });
  await store.maintain();
  await store.close();
}

function rowsOf(series: readonly MadeSeries[], from: number, count: number): Float64Array<ArrayBuffer> {
  const rows = new Float64Array(series.length * count);
  for (let i = 0, row = 0; i < count; i++) for (const { values } of series) rows[row++] = values[from + i] as number;
  return rows;
}

/** Exposition text, series by series; OpenMetrics has its times in seconds. */
export function* linesOf({ series, times }: Made, format: "text" | "openmetrics"): Generator<string> {
  for (const { labels, values } of series) {
    const { __name__: name, ...others } = labels;
    const inner = Object.entries(others).map(([key, value]) => `${key}="${value}"`);
    const head = `${name}{${inner.join(",")}}`;
    let text = "";
    for (let i = 0; i < times.length; i++) {
      const time = times[i] as number;
      text += `${head} ${values[i]} ${format === "openmetrics" ? (time / 1_000).toFixed(3) : time}\n`;
    }
    yield text;
  }
  if (format === "openmetrics") yield "# EOF\n";
}
