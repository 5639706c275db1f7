import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";

export const command = defineCommand({
  args: { service: { kind: "service", description: "Name of a service, or environment/service" } },
  flags: hubFlags,
  details: [
    "New instances of the same version are started; the old ones serve until the new are healthy.",
    "A service that was given up is tried again.",
  ],
  examples: [{ line: "fed restart dev/api", says: "replace the instances of api in dev" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal);
    await client.call(api.restart, { environment, service }, signal);
    if (screen.json) screen.data({ environment, service });
    screen.line(`restarting ${environment}/${service}; fed status shows how far it is`);
    return 0;
  },
});
