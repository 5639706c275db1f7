import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";

export const command = defineCommand({
  args: { service: { kind: "service", description: "Name of a service, or environment/service" } },
  flags: {
    ...hubFlags,
    follow: { kind: "switch", short: "f", description: "Go on with what comes, until Ctrl-C" },
    tail: {
      kind: "count",
      value: "N",
      short: "n",
      min: 0,
      max: 1_000_000,
      default: 200,
      description: "Begin with the last N lines of each instance",
    },
  },
  details: ["Output of all its instances, of the last one that ended too."],
  examples: [
    { line: "fed logs api", says: "show what api wrote last" },
    { line: "fed logs dev/api -f -n 20", says: "follow it" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service, instances } = await findService(client, args.service, signal);
    const several = instances.length > 1 || flags.follow;
    const input = { environment, service, tail: flags.tail, follow: flags.follow ? "true" : "false" };
    let lines = 0;
    for await (const line of client.stream(api.logs, input, signal)) {
      lines++;
      if (screen.json) screen.data(line);
      else screen.verbatim(`${several ? `${line.instance.slice(-4)} │ ` : ""}${line.text}\n`);
    }
    if (lines === 0 && !screen.json) screen.note(`${environment}/${service} has written nothing yet`);
    return 0;
  },
});
