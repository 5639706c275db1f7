import { writeFileAtomic } from "#disk/atomic-file.ts";
import { planText } from "#engine/reconcile/print.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";

export const command = defineCommand({
  args: {},
  flags: {
    ...hubFlags,
    out: { kind: "file", value: "FILE", short: "o", description: "Write the plan to a file, for fed apply" },
  },
  details: [
    "Reads the lab file as it is on disk and looks at what runs. Nothing is changed.",
    "Ends with 0 when there is nothing to do, with 3 when there is.",
  ],
  examples: [
    { line: "fed plan", says: "show what would change, and why" },
    { line: "fed plan -o plan.json && fed apply plan.json", says: "carry out exactly what was shown" },
  ],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const plan = await client.call(api.plan, {}, signal);
    if (flags.out !== undefined) await writeFileAtomic(flags.out, `${JSON.stringify(plan, null, 2)}\n`);
    if (screen.json) screen.data(plan);
    else for (const line of planText(plan).trimEnd().split("\n")) screen.line(line);
    return plan.steps.length === 0 ? 0 : 3;
  },
});
