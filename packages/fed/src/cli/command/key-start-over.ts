import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";
import { countText } from "../size.ts";

export const command = defineCommand({
  args: {},
  flags: { ...hubFlags, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: [
    "Only for a vault whose master key is lost: a new key seals what is set from now on. What the lost one sealed stays",
    "as it is, opens again when that key is found (fed key restore), and goes when you set it anew or remove it.",
  ],
  examples: [{ line: "fed key start-over", says: "the key is lost, and so is its sheet" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    if (!flags.yes) {
      requirePerson("say --yes");
      const { vault } = await client.call(api.status, {}, signal);
      if (vault) screen.note(`${vault.message}. ${vault.hint}`);
      const sure = await confirm("Go on with a new master key, without what is sealed by the lost one?", signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    const answer = await client.call(api.startOverKey, {}, signal);
    if (screen.json) screen.data(answer);
    screen.line(`${answer.to} seals the vault from now on`);
    if (answer.kept > 0) {
      const kept = countText(answer.kept, "secret stays", "secrets stay");
      screen.line(`${kept} sealed by the lost key: fed credential list shows what to set anew`);
    }
    screen.note("Print its recovery sheet: fed key sheet");
    return 0;
  },
});
