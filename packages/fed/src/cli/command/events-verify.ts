import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: [
    "Every event carries the hash of the one before; this walks the whole chain. Ends with 5 when it is broken.",
    "Note the head it prints elsewhere: it shows later that the end was not cut off either.",
  ],
  examples: [{ line: "fed events verify", says: "sound, or which event is not what was written" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const verdict = await client.call(api.verifyEvents, {}, signal);
    if (screen.json) screen.data(verdict);
    if (verdict.kind === "broken") {
      screen.line({ text: "broken ", style: "bad" }, `at event ${verdict.sequence}: ${verdict.reason}`);
      return 5;
    }
    const { events, first, last, head } = verdict;
    screen.line({ text: "sound ", style: "good" }, `${events} events, ${first} to ${last}`);
    screen.line({ text: `head ${head}`, style: "dim" });
    return 0;
  },
});
