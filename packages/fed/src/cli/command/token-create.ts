import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { durationMs } from "../moment.ts";
import { roleSpec } from "../user-flags.ts";

const dayMs = 86_400_000;

export const command = defineCommand({
  args: { name: { kind: "text", description: "What it is for, to recognise it by" } },
  flags: {
    ...hubFlags,
    role: { ...roleSpec, default: "viewer" },
    expires: { kind: "text", value: "TIME", default: "90d", description: "In so many days, such as 30d; or never" },
  },
  details: [
    "Prints the token alone on stdout, this once: only its hash is kept. Programs show it as FED_TOKEN, or as the",
    "header `authorization: Bearer …`. Whoever has it may do what its role may.",
  ],
  examples: [
    { line: "fed token create ci --role operator --expires 30d", says: "a token for CI" },
    { line: "(umask 077; fed token create grafana > token)", says: "into a file for your eyes only" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const expiresInDays = daysOf(flags.expires);
    const client = await openClient(flags, env, signal);
    const wish = { name: args.name, role: flags.role, expiresInDays };
    const { token, secret } = await client.call(api.createToken, wish, signal);
    if (screen.json) screen.data({ token, secret });
    else {
      const until = token.expiresMs === undefined ? "never ends" : `ends in ${expiresInDays} days`;
      screen.note(`${token.name} (${token.role}) ${until}. It is shown this once:`);
      screen.line(secret);
    }
    return 0;
  },
});

function daysOf(word: string): number | undefined {
  if (word === "never") return undefined;
  const days = (durationMs(word) ?? Number.NaN) / dayMs;
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new Fault("invalid", `--expires is no number of days: ${JSON.stringify(word)}`, {
    hint: "write whole days, 1d to 3650d, or never",
  });
}
