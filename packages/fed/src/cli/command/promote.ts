import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { showBegun } from "../rollout.ts";
import { rolloutFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: {
    ...rolloutFlags,
    env: { kind: "text", value: "ENVIRONMENT", description: "Environment that gets it" },
    from: {
      kind: "text",
      value: "ENVIRONMENT",
      description: "Where it comes from; promoteFrom of the lab when left out",
    },
  },
  details: ["The very same image that serves in one environment, with the values of the other."],
  examples: [{ line: "fed promote blog --env prod --wait", says: "what serves in staging, to prod" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const from = flags.from === undefined ? {} : { from: flags.from };
    const { rollout } = await client.call(api.promote, { environment, service, ...from }, signal);
    return showBegun({ client, screen, signal }, rollout, flags.wait);
  },
});
