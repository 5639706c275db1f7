import { defineCommand } from "../command.ts";
import { countText } from "../size.ts";
import { lookInto, storeArg, storeFlags, storeFolder } from "../store-folder.ts";

export const command = defineCommand({
  args: storeArg,
  flags: storeFlags,
  details: [
    "Reads every page of every block and all of the log, and compares their checksums. Changes nothing; a hub may run on it.",
    "Names each place that is damaged; the rest stays readable. Ends with 5 when something is.",
  ],
  examples: [
    { line: "fed tsdb verify", says: "sound, or what is damaged" },
    { line: "fed tsdb verify ~/backup/metrics", says: "of a copy" },
  ],
  async run({ args, flags, env, screen }) {
    const folder = storeFolder({ ...args, ...flags }, env);
    const stats = await lookInto(folder, true);
    const { damage } = stats;
    const [blocks, samples] = [stats.blocks.length, stats.blockSamples + stats.headSamples];
    if (screen.json) screen.data({ folder, sound: damage.length === 0, blocks, samples, damage });
    for (const { file, what } of damage) screen.line({ text: "damaged ", style: "bad" }, `${file}: ${what}`);
    const read = `${countText(blocks, "block")} and the log, ${countText(samples, "sample")}`;
    if (damage.length === 0) screen.line({ text: "sound ", style: "good" }, `${read}: nothing is damaged`);
    else screen.line(`${countText(damage.length, "place")} cannot be read; all else in ${folder} can`);
    return damage.length === 0 ? 0 : 5;
  },
});
