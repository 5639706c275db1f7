import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { showBegun } from "../rollout.ts";
import { rolloutFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: rolloutFlags,
  details: [
    "New instances of the same version are started; the old ones serve until the new are healthy.",
    "A service that was given up is tried again. With --wait, ends with 1 when it failed.",
  ],
  examples: [
    { line: "fed restart dev/api", says: "replace the instances of api in dev" },
    { line: "fed restart api --env dev --wait", says: "see how it goes" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const place = { environment, service };
    await client.call(api.restart, place, signal);
    const { rollouts } = await client.call(api.releases, place, signal);
    const [newest] = rollouts;
    if (newest === undefined) throw new Fault("conflict", `nothing of ${environment}/${service} is rolled out`);
    return showBegun({ client, screen, signal }, newest, flags.wait);
  },
});
