import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { ageOf } from "../moment.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  examples: [{ line: "fed user list", says: "show who may sign in" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { users } = await client.call(api.users, {}, signal);
    if (screen.json) screen.data(users);
    else if (users.length === 0)
      screen.line("Nobody yet: open the link that fed up printed, or run fed user add NAME.");
    else {
      const nowMs = Date.now();
      screen.table({
        columns: [{ title: "NAME" }, { title: "ROLE" }, { title: "STATE" }, { title: "SIGNED IN", align: "right" }],
        rows: users.map(({ name, role, state, signedInMs }) => [
          { text: name, style: "strong" },
          role,
          { text: state, style: state === "active" ? "good" : "dim" },
          signedInMs === undefined ? "never" : `${ageOf(signedInMs, nowMs)} ago`,
        ]),
      });
    }
    return 0;
  },
});
