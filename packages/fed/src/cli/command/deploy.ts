import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { showBegun } from "../rollout.ts";
import { rolloutFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: rolloutFlags,
  details: [
    "Builds or pulls the image anew and rolls it out; a process gets new instances. In an environment that",
    "promotes from another (`promoteFrom`), takes the image that serves there. The old version serves until the",
    "new one is healthy, and goes on when it never is. It goes on without this command: fed cancel ends it.",
    "With --wait, ends with 1 when it failed.",
  ],
  examples: [
    { line: "fed deploy blog --env prod --wait", says: "release blog in prod and see how it goes" },
    { line: "fed deploy dev/blog", says: "begin it and return" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const { rollout } = await client.call(api.deploy, { environment, service }, signal);
    return showBegun({ client, screen, signal }, rollout, flags.wait);
  },
});
