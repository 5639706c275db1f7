import { quoteWord } from "#port/quote.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openPlacedClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { isLoopback } from "../loopback.ts";
import { kindFlag } from "../machine-words.ts";

export const command = defineCommand({
  args: { name: { kind: "text", description: "What the machine is called in the fleet" } },
  flags: {
    ...hubFlags,
    url: { kind: "url", description: "Where that machine finds the hub (where you find it when left out)" },
    kind: kindFlag,
  },
  details: [
    "For a machine that the hub cannot reach: prints a line to run there, by any user. It starts what fed asks other",
    "machines by SSH, keeps what it cannot send for a day, and needs nothing but curl. The line works once, for an hour.",
    "As root it tells more (disks' health, all containers). It is undone by: fed machine remove NAME",
  ],
  examples: [
    { line: "fed machine join mbp --kind workstation", says: "a line for a laptop" },
    { line: "fed machine join vps --url https://fed.example.net", says: "a line for a machine elsewhere" },
  ],
  async run({ args: { name }, flags, env, screen, signal }) {
    const { client, url } = await openPlacedClient(flags, env, signal);
    const { path, expiresMs } = await client.call(api.allowJoin, { name, kind: flags.kind }, signal);
    const place = flags.url ?? url();
    const line = `curl -fsSL ${quoteWord(place + path)} | sh`;
    if (screen.json) screen.data({ name, line, expires: new Date(expiresMs).toISOString() });
    screen.line(line);
    screen.note(`Run this on ${name}. It works once, and until ${new Date(expiresMs).toLocaleTimeString("en-GB")}.`);
    if (isLoopback(place)) {
      screen.note(
        `${name} does not find the hub at ${place}: let it listen on the network (fed up --host 0.0.0.0), and say where it is with --url.`,
      );
    }
    return 0;
  },
});
