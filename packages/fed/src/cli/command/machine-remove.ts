import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { confirm, requirePerson } from "../prompt.ts";

export const command = defineCommand({
  args: { name: { kind: "text", description: "Name of the machine" } },
  flags: { ...hubFlags, yes: { kind: "switch", short: "y", description: "Do not ask" } },
  details: [
    "Takes a machine out of the fleet that was added or that joined by itself; what runs on it for fed goes with it.",
    "A machine of the lab file is taken out there. Its metrics stay until they are too old, or until fed metrics delete.",
  ],
  examples: [{ line: "fed machine remove node5", says: "ask, then forget it" }],
  async run({ args: { name }, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { mode } = await client.call(api.machine, { name }, signal);
    if (!flags.yes) {
      requirePerson("say --yes");
      if (!(await confirm(`Take ${name} out of the fleet?`, signal))) throw new Fault("invalid", "nothing was changed");
    }
    const { uninstalled } = await client.call(api.removeMachine, { name }, signal);
    if (screen.json) screen.data({ name, uninstalled });
    screen.line(`${name} is not in the fleet any more`);
    if (!uninstalled) screen.note("It is told to remove what it runs for fed when it reports next.");
    else if (mode === "push") screen.note("What it ran for fed is gone.");
    return 0;
  },
});
