import type { TsdbStats } from "#engine/tsdb/tsdb.ts";
import { defineCommand } from "../command.ts";
import { localTime } from "../moment.ts";
import type { Screen } from "../print.ts";
import { countText, sizeText } from "../size.ts";
import { storeArg, storeFlags, storeFolder, withStore } from "../store-folder.ts";

export const command = defineCommand({
  args: storeArg,
  flags: storeFlags,
  details: ["Opens the store itself, so no hub may run on it meanwhile. The metrics with most series cost most."],
  examples: [
    { line: "fed tsdb stats", says: "series, samples, bytes per sample, and the metrics that cost most" },
    { line: "fed tsdb stats ~/backup/metrics --json", says: "of a copy, as data" },
  ],
  async run({ args, flags, env, screen }) {
    const folder = storeFolder({ ...args, ...flags }, env);
    const stats = await withStore(folder, (store) => store.stats());
    const samples = stats.headSamples + stats.blockSamples;
    if (screen.json) screen.data({ folder, samples, bytesPerSample: bytesPerSample(stats) ?? null, ...stats });
    else show(screen, folder, stats);
    return 0;
  },
});

/** Of what is in blocks: the log is written once more when it becomes one. */
function bytesPerSample({ blockBytes, blockSamples }: TsdbStats): number | undefined {
  return blockSamples === 0 ? undefined : blockBytes / blockSamples;
}

function show(screen: Screen, folder: string, stats: TsdbStats): void {
  const { blocks, metrics } = stats;
  const each = bytesPerSample(stats);
  const [first, last] = [blocks[0], blocks.at(-1)];
  const line = (name: string, text: string) => screen.line({ text: name.padEnd(18), style: "dim" }, text);
  line("store", folder);
  line("series", `${countText(stats.activeSeries, "series", "series")} with samples in memory`);
  line("samples", `${(stats.headSamples + stats.blockSamples).toLocaleString("en")}`);
  line("in blocks", `${countText(stats.blockSamples, "sample")} in ${countText(blocks.length, "block")}`);
  if (first && last) line("", `from ${localTime(first.startMs)} to ${localTime(last.endMs)}`);
  line("size of blocks", sizeText(stats.blockBytes));
  line("bytes per sample", each === undefined ? "no blocks yet" : each.toFixed(2));
  line("in memory", countText(stats.headSamples, "sample"));
  line("log", sizeText(stats.walBytes));
  for (const { file, what } of stats.damage) screen.line({ text: "damaged ", style: "bad" }, `${file}: ${what}`);
  if (metrics.length === 0) return;
  screen.line();
  screen.table({
    columns: [{ title: "METRIC" }, { title: "SERIES", align: "right" }],
    rows: metrics.map(({ name, series }) => [name, series.toLocaleString("en")]),
  });
}
