import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: {
    service: serviceArg,
    replicas: { kind: "word", description: "How many instances, 0 to 100, or `lab`: as the lab says" },
  },
  flags: placeFlags,
  details: [
    "The number holds until the lab says another one for this service; write it there to make it last.",
    "New instances get requests once they are healthy; those that go may end their requests.",
  ],
  examples: [
    { line: "fed scale dev/api 3", says: "run three instances of api in dev" },
    { line: "fed scale dev/api lab", says: "as many as the lab says again" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const replicas = readReplicas(args.replicas);
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const wish = replicas === undefined ? {} : { replicas };
    await client.call(api.scaleService, { environment, service, ...wish }, signal);
    if (screen.json) screen.data({ environment, service, ...wish });
    const many = replicas === undefined ? "as many as the lab says" : `${replicas}`;
    screen.line(`${environment}/${service} is to run ${many}; fed status shows how far it is`);
    return 0;
  },
});

function readReplicas(text: string): number | undefined {
  if (text === "lab") return undefined;
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new Fault("invalid", `"${text}" is no number of instances`, { hint: "Write 0 to 100, or lab." });
}
