import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { showUser, userArg } from "../user-flags.ts";

export const command = defineCommand({
  args: userArg,
  flags: hubFlags,
  examples: [{ line: "fed user enable grace", says: "let grace in again" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { user } = await client.call(api.enableUser, { name: args.name }, signal);
    const says =
      user.state === "invited"
        ? `${user.name} is enabled, but has no password yet; fed user reset ${user.name} makes a link to choose one`
        : `${user.name} may sign in again`;
    showUser(screen, user, says);
    return 0;
  },
});
