import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { roleSpec, showUser, userArg } from "../user-flags.ts";

export const command = defineCommand({
  args: { ...userArg, role: roleSpec },
  flags: hubFlags,
  details: ["Counts from their next request on."],
  examples: [{ line: "fed user role grace operator", says: "let grace act" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { user } = await client.call(api.setRole, { name: args.name, role: args.role }, signal);
    showUser(screen, user, `${user.name} is ${user.role}`);
    return 0;
  },
});
