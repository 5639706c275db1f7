import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openPlacedClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { readPassword } from "../prompt.ts";
import { forThem, roleSpec, showLink, showUser, userArg } from "../user-flags.ts";

export const command = defineCommand({
  args: userArg,
  flags: {
    ...hubFlags,
    role: { ...roleSpec, default: "viewer" },
    passwordStdin: { kind: "switch", description: "Read their password from stdin instead of making a link" },
  },
  details: ["Prints a link with which they choose their password."],
  examples: [
    { line: "fed user add grace --role operator", says: "print a link for grace" },
    { line: "pass grace | fed user add grace --password-stdin", says: "with a password" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { client, url } = await openPlacedClient(flags, env, signal);
    const password = flags.passwordStdin ? await readPassword() : undefined;
    const { name } = args;
    const { user, link } = await client.call(api.addUser, { name, role: flags.role, password }, signal);
    if (link) showLink(screen, { link, at: url() }, forThem, { user });
    else showUser(screen, user, `${user.name} (${user.role}) may sign in`);
    return 0;
  },
});
