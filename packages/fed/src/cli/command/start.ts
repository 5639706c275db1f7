import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: placeFlags,
  details: [
    "What `fed stop` ended runs again, as the lab and its release say.",
    "A service that was given up is tried again.",
  ],
  examples: [{ line: "fed start dev/api", says: "run api in dev again" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    await client.call(api.startService, { environment, service }, signal);
    if (screen.json) screen.data({ environment, service });
    screen.line(`starting ${environment}/${service}; fed status shows how far it is`);
    return 0;
  },
});
