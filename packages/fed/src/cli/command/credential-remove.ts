import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { credentialArg, credentialText, machineFlag } from "../credential-name.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";

export const command = defineCommand({
  args: credentialArg,
  flags: { ...hubFlags, ...machineFlag, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: ["Takes a secret out of the vault, for good."],
  examples: [{ line: "fed credential remove ssh-password --machine node5", says: "it has a key now" }],
  async run({ args, flags, env, screen, signal }) {
    const { name } = args;
    const { machine } = flags;
    const client = await openClient(flags, env, signal);
    if (!flags.yes) {
      requirePerson("say --yes");
      const sure = await confirm(`Remove ${credentialText(name, machine)}? This cannot be undone.`, signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    const answer = await client.call(api.removeCredential, { name, machine }, signal);
    if (screen.json) screen.data(answer);
    screen.line(`${credentialText(name, machine)} is gone`);
    return 0;
  },
});
