import { isFault } from "#base/fault.ts";
import { printDuration } from "#engine/promql/duration.ts";
import { api } from "#wire/api.ts";
import { type StoreStats, storeStatsShape } from "#wire/metric.ts";
import { defineCommand } from "../command.ts";
import type { Env } from "../env.ts";
import { openClient } from "../hub-client.ts";
import { chooseHub, hubFlags } from "../hub-flags.ts";
import { localTime } from "../moment.ts";
import type { Screen } from "../print.ts";
import { countText, sizeText } from "../size.ts";
import { lookInto, storeArg, storeFolder } from "../store-folder.ts";

export const command = defineCommand({
  args: storeArg,
  flags: hubFlags,
  details: [
    "Asks the hub for its store; where none runs, or with the argument folder, looks into the store itself and changes nothing.",
    "Metrics by what they cost on the disk, in the newest 32 MiB of blocks; before there are blocks, by their series.",
  ],
  examples: [
    { line: "fed tsdb stats", says: "series, samples, bytes per sample, and the metrics that cost most" },
    { line: "fed tsdb stats ~/backup/metrics --json", says: "of a copy, as data" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { folder, ...stats } =
      (await askHub({ ...args, ...flags }, env, signal)) ?? (await lookIntoFolder({ ...args, ...flags }, env));
    const samples = stats.headSamples + stats.blockSamples;
    if (screen.json) screen.data({ folder, samples, bytesPerSample: bytesPerSample(stats) ?? null, ...stats });
    else show(screen, folder, stats);
    return 0;
  },
});

interface Choice {
  readonly folder: string | undefined;
  readonly data: string | undefined;
  readonly hub: string | undefined;
}

type Stats = StoreStats & { readonly folder?: string };

/** Undefined when the store itself is meant, or nobody runs who could be asked. */
async function askHub(choice: Choice, env: Env, signal: AbortSignal): Promise<Stats | undefined> {
  if (choice.folder !== undefined) return undefined;
  const elsewhere = chooseHub(choice, env).kind === "url";
  const client = await openClient(choice, env, signal).catch((thrown: unknown) => {
    if (!elsewhere && isFault(thrown) && thrown.code === "unreachable") return undefined;
    throw thrown;
  });
  return await client?.call(api.metricStore, {}, signal);
}

async function lookIntoFolder(choice: Choice, env: Env): Promise<Stats> {
  const folder = storeFolder(choice, env);
  return { folder, ...storeStatsShape.parse(await lookInto(folder, false)) };
}

/** Of what is in blocks: the log is written once more when it becomes one. */
function bytesPerSample({ blockBytes, blockSamples }: Stats): number | undefined {
  return blockSamples === 0 ? undefined : blockBytes / blockSamples;
}

function show(screen: Screen, folder: string | undefined, stats: Stats): void {
  const { blocks } = stats;
  const each = bytesPerSample(stats);
  const [first, last] = [blocks[0], blocks.at(-1)];
  const line = (name: string, text: string) => screen.line({ text: name.padEnd(18), style: "dim" }, text);
  if (folder !== undefined) line("store", folder);
  line("series", `${countText(stats.activeSeries, "series", "series")} with samples in memory`);
  line("samples", `${(stats.headSamples + stats.blockSamples).toLocaleString("en")}`);
  line("in blocks", `${countText(stats.blockSamples, "sample")} in ${countText(blocks.length, "block")}`);
  if (first && last) line("", `from ${localTime(first.startMs)} to ${localTime(last.endMs)}`);
  line("size of blocks", sizeText(stats.blockBytes));
  line("bytes per sample", each === undefined ? "no blocks yet" : each.toFixed(2));
  line("in memory", countText(stats.headSamples, "sample"));
  line("log", sizeText(stats.walBytes));
  for (const { stepMs, files, sizeBytes } of stats.tiers.filter((one) => one.files > 0)) {
    line(`by ${printDuration(stepMs)}`, `${sizeText(sizeBytes)} of summaries in ${countText(files, "file")}`);
  }
  if (stats.trouble !== undefined) screen.line({ text: "trouble ", style: "bad" }, stats.trouble);
  for (const { file, what } of stats.damage) screen.line({ text: "damaged ", style: "bad" }, `${file}: ${what}`);
  showMetrics(screen, stats);
}

function showMetrics(screen: Screen, { metrics, metricsOfBytes, blockBytes }: Stats): void {
  if (metrics.length === 0) return;
  const number = { align: "right" } as const;
  const series = { title: "SERIES", ...number };
  screen.line();
  if (metricsOfBytes === 0) {
    const rows = metrics.map((one) => [one.name, one.series.toLocaleString("en")]);
    screen.table({ columns: [{ title: "METRIC" }, series], rows });
    return;
  }
  screen.table({
    columns: [
      { title: "METRIC" },
      series,
      { title: "SAMPLES", ...number },
      { title: "SIZE", ...number },
      { title: "BYTES/SAMPLE", ...number },
    ],
    rows: metrics.map((one) => [
      one.name,
      one.series.toLocaleString("en"),
      one.samples.toLocaleString("en"),
      sizeText(one.sizeBytes),
      one.samples === 0 ? "" : (one.sizeBytes / one.samples).toFixed(2),
    ]),
  });
  if (metricsOfBytes < blockBytes) {
    const part = `${sizeText(metricsOfBytes)} of ${sizeText(blockBytes)}`;
    screen.line({ text: `samples and size in the newest blocks: ${part}`, style: "dim" });
  }
}
