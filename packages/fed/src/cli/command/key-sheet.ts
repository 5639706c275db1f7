import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: [
    "Prints the vault's master key as four lines to lock away on paper. Whoever has them can open every secret.",
    "Only for who can read the hub's data folder; that it was printed is an event.",
  ],
  examples: [{ line: "fed key sheet | lp", says: "print it, and keep no copy on a disk" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const sheet = await client.call(api.recoverySheet, {}, signal);
    if (screen.json) screen.data(sheet);
    for (const line of sheet.text.split("\n")) screen.line(line);
    return 0;
  },
});
