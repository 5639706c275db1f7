import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { countText } from "../size.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: [
    "Seals everything in the vault by a new master key, all of it or nothing. Print a new recovery sheet afterwards:",
    "the old one opens only older copies of the database.",
    "Where the key comes from FED_KEY, start fed with the new one as FED_KEY_NEXT first.",
  ],
  examples: [{ line: "fed key rotate", says: "when somebody may have seen the key, or left" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const answer = await client.call(api.rotateKey, {}, signal);
    if (screen.json) screen.data(answer);
    screen.line(`${countText(answer.secrets, "secret", "secrets")} sealed by ${answer.to}; ${answer.from} is no more`);
    screen.note("Print the new recovery sheet: fed key sheet");
    // A key from the surroundings is put in its place there.
    const { vault } = await client.call(api.status, {}, signal);
    if (vault) screen.note({ text: `${vault.message}. ${vault.hint}`, style: "warn" });
    return 0;
  },
});
