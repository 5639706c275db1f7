import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";

export const command = defineCommand({
  args: {
    token: { kind: "text", description: "Its id, the letters it begins with, or its name when only one has it" },
  },
  flags: { ...hubFlags, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: ["It stops working at once, and for good."],
  examples: [{ line: "fed token revoke ci", says: "end the token of CI" }],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { tokens } = await client.call(api.tokens, {}, signal);
    const meant = tokens.filter(
      ({ id, prefix, name, state }) =>
        id === args.token || prefix === args.token || (name === args.token && state === "active"),
    );
    const [token] = meant;
    if (!token) throw new Fault("missing", `there is no token ${args.token}`, { hint: "fed token list shows them." });
    if (meant.length > 1) {
      throw new Fault("invalid", `${meant.length} tokens are called ${args.token}`, {
        hint: `Say which by its id: ${meant.map(({ id }) => id).join(", ")}`,
      });
    }
    if (!flags.yes) {
      requirePerson("say --yes");
      const sure = await confirm(`End the token ${token.name} (${token.prefix}…)? This cannot be undone.`, signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    const answer = await client.call(api.revokeToken, { id: token.id }, signal);
    if (screen.json) screen.data(answer);
    screen.line(`the token ${token.name} has ended`);
    return 0;
  },
});
