import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: placeFlags,
  details: ["Ends the rollout under way, at whatever step it is: what served before goes on or comes back."],
  examples: [{ line: "fed cancel prod/blog", says: "end the rollout of blog in prod" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const { rollout } = await client.call(api.cancelRollout, { environment, service }, signal);
    if (screen.json) screen.data(rollout);
    const stays = rollout.before === undefined ? "" : `; release ${rollout.before.number} serves as before`;
    screen.line(`the rollout of ${environment}/${service} was cancelled${stays}`);
    return 0;
  },
});
