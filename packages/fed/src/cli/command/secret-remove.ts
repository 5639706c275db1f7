import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";
import { environmentFlag, secretArg, secretText } from "../secret-name.ts";

export const command = defineCommand({
  args: secretArg,
  flags: { ...hubFlags, ...environmentFlag, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: [
    "Takes the value of a secret out: nothing new gets it. Releases that are kept still have the version they were made with, so",
    "that they can run and be gone back to; it is forgotten a day after the last of them. A secret that others know is changed",
    "where it is used, then here with fed secret set.",
  ],
  examples: [
    { line: "fed secret remove BLOG_DB --env dev", says: "dev has the value for all from then on, if there is one" },
  ],
  async run({ args: { name }, flags, env, screen, signal }) {
    const environment = flags.env;
    const client = await openClient(flags, env, signal);
    if (!flags.yes) {
      requirePerson("say --yes");
      if (!(await confirm(`Remove ${secretText(name, environment)}?`, signal))) {
        throw new Fault("invalid", "nothing was changed");
      }
    }
    const answer = await client.call(api.removeSecret, { name, environment }, signal);
    if (screen.json) screen.data(answer);
    screen.line(`${secretText(name, environment)} goes to nothing new`);
    return 0;
  },
});
