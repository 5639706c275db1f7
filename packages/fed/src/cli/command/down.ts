import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { showProgress } from "../progress.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: ["Every service is asked to stop and given its grace; what needs another stops first. Data stays."],
  examples: [{ line: "fed down", says: "stop this machine's hub and everything it runs" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const code = await showProgress(screen, client.stream(api.down, {}, signal));
    screen.line("the hub has stopped");
    return code;
  },
});
