import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { fileFault } from "../file-fault.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { readPiped } from "../prompt.ts";
import { countText } from "../size.ts";

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
    const text = await readSheet(args.sheet, env.cwd);
    const answer = await client.call(api.restoreKey, { text }, signal);
    if (screen.json) screen.data(answer);
    screen.line(`${answer.id} is back: ${countText(answer.secrets, "secret opens", "secrets open")}`);
    return 0;
  },
});

async function readSheet(path: string, cwd: string): Promise<string> {
  // Words that name a file were made absolute, a dash as well.
  if (path === resolve(cwd, "-")) return readPiped({ what: "recovery sheet", flag: "-", limit: mostBytes });
  const { size } = await stat(path).catch((thrown) => {
    throw fileFault(thrown, "read", path);
  });
  if (size > mostBytes) throw new Fault("invalid", `${path} is too long for a recovery sheet`);
  return readFile(path, "utf8").catch((thrown) => {
    throw fileFault(thrown, "read", path);
  });
}
