import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openPlacedClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";
import { forThem, showLink, userArg } from "../user-flags.ts";

export const command = defineCommand({
  args: userArg,
  flags: { ...hubFlags, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: ["Ends all their sessions, forgets their password and prints a link with which they choose a new one."],
  examples: [{ line: "fed user reset grace", says: "print a link for grace" }],
  async run({ args, flags, env, screen, signal }) {
    const { client, url } = await openPlacedClient(flags, env, signal);
    if (!flags.yes) {
      requirePerson("say --yes");
      const sure = await confirm(`Forget the password of ${args.name} and end all their sessions?`, signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    const { user, link } = await client.call(api.resetUser, { name: args.name }, signal);
    showLink(screen, { link, at: url() }, forThem, { user });
    return 0;
  },
});
