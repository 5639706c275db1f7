import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";
import { showUser, userArg } from "../user-flags.ts";

export const command = defineCommand({
  args: userArg,
  flags: { ...hubFlags, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: ["Ends all their sessions, and their tokens stop working. fed user enable undoes it."],
  examples: [{ line: "fed user disable grace", says: "keep grace out" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    if (!flags.yes) {
      requirePerson("say --yes");
      const sure = await confirm(`End all sessions and tokens of ${args.name}?`, signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    const { user } = await client.call(api.disableUser, { name: args.name }, signal);
    showUser(screen, user, `${user.name} is disabled; fed user enable ${user.name} undoes it`);
    return 0;
  },
});
