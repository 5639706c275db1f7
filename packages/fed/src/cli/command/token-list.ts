import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { ageOf, localTime } from "../moment.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: ["Your own; all of them for an admin."],
  examples: [{ line: "fed token list", says: "show tokens, whose they are and when they were used last" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { tokens } = await client.call(api.tokens, {}, signal);
    if (screen.json) screen.data(tokens);
    else if (tokens.length === 0) screen.line("No tokens yet: fed token create NAME makes one.");
    else {
      const nowMs = Date.now();
      screen.table({
        columns: ["ID", "NAME", "BEGINS", "ROLE", "OWNER", "STATE", "USED", "ENDS"].map((title) => ({ title })),
        rows: tokens.map(({ id, name, prefix, role, user, state, usedMs, expiresMs }) => [
          id,
          { text: name, style: "strong" },
          prefix,
          role,
          user ?? "this machine",
          { text: state, style: state === "active" ? "good" : "dim" },
          usedMs === undefined ? "never" : `${ageOf(usedMs, nowMs)} ago`,
          expiresMs === undefined ? "never" : localTime(expiresMs),
        ]),
      });
    }
    return 0;
  },
});
