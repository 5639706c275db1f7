import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openPlacedClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { showLink } from "../user-flags.ts";

export const command = defineCommand({
  args: { name: { kind: "text", optional: true, description: "User to become admin; a new one when left out" } },
  flags: hubFlags,
  details: [
    "Only for who can read the hub's data folder. Prints a link whose holder chooses a password and is admin,",
    "also when that user was disabled or every admin is gone. It is written into the event log.",
  ],
  examples: [
    { line: "fed user rescue ada", says: "a link with which ada is admin again" },
    { line: "fed user rescue", says: "a link to make a new admin" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { client, url } = await openPlacedClient(flags, env, signal);
    const { link } = await client.call(api.rescue, { name: args.name }, signal);
    showLink(screen, { link, at: url() }, "Whoever opens this link becomes admin");
    return 0;
  },
});
