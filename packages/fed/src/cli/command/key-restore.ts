import { resolve } from "node:path";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { readPiped } from "../prompt.ts";
import { countText } from "../size.ts";
import { readSmallFile } from "../small-file.ts";

const what = "recovery sheet";
const mostBytes = 65_536;

export const command = defineCommand({
  args: { sheet: { kind: "file", description: "The recovery sheet or its four lines; - reads stdin" } },
  flags: hubFlags,
  details: [
    "Takes a master key back: what it sealed opens again. Lines may be typed in small letters; each checks itself.",
  ],
  examples: [
    { line: "fed key restore sheet.txt", says: "after master.key was lost" },
    { line: "fed key restore -", says: "from a pipe" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    // A word that names a file was made absolute, a dash as well.
    const isPipe = args.sheet === resolve(env.cwd, "-");
    const text = await (isPipe
      ? readPiped({ what, flag: "-", limit: mostBytes })
      : readSmallFile(args.sheet, { what, mostBytes }));
    const answer = await client.call(api.restoreKey, { text }, signal);
    if (screen.json) screen.data(answer);
    screen.line(`${answer.id} is back: ${countText(answer.secrets, "secret opens", "secrets open")}`);
    return 0;
  },
});
