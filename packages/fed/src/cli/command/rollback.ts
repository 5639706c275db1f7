import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { showBegun } from "../rollout.ts";
import { rolloutFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: {
    ...rolloutFlags,
    to: {
      ...{ kind: "count", min: 1, max: 1_000_000_000, value: "NUMBER" },
      description: "Release to go back to; the newest one before that has served when left out",
    },
  },
  details: [
    "The release comes back exactly as it was: image, variables, versions of secrets, volumes, host name. It stays until",
    "the lab says something else of the service, or somebody deploys.",
  ],
  examples: [
    { line: "fed rollback blog --env prod --wait", says: "back to the release before" },
    { line: "fed rollback prod/blog --to 3", says: "back to release 3; fed releases prod/blog lists them" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const to = flags.to === undefined ? {} : { to: flags.to };
    const { rollout } = await client.call(api.rollback, { environment, service, ...to }, signal);
    return showBegun({ client, screen, signal }, rollout, flags.wait);
  },
});
