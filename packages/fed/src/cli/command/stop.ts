import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: placeFlags,
  details: [
    "Its instances are asked to end and given their grace; requests under way may end. What needs it goes on.",
    "It stays so, also over new releases and a restart of the hub, until `fed start`. Its data stays.",
  ],
  examples: [{ line: "fed stop dev/api", says: "end the instances of api in dev" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    await client.call(api.stopService, { environment, service }, signal);
    if (screen.json) screen.data({ environment, service });
    screen.line(`stopping ${environment}/${service}; fed status shows how far it is`);
    return 0;
  },
});
