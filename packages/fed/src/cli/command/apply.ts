import { Fault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import { api } from "#wire/api.ts";
import { planShape, type WirePlan } from "#wire/plan.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { showProgress } from "../progress.ts";

export const command = defineCommand({
  args: {
    plan: {
      kind: "file",
      optional: true,
      description: "A plan written by fed plan -o; refused when lab or world have moved",
    },
  },
  flags: {
    ...hubFlags,
    yes: { kind: "switch", short: "y", description: "For scripts that say so; it asks nothing in any case" },
  },
  details: [
    "Takes the lab file as it is on disk and makes it real, as the hub does by itself when the file is saved. What was given up",
    "and what failed is tried again. To see before what it does: fed plan.",
    "Ends with 0 when all is done, with 1 when something failed or is held back.",
  ],
  examples: [
    { line: "fed apply", says: "make the lab file real now" },
    { line: "fed apply plan.json", says: "carry out a plan made before" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const plan = args.plan === undefined ? undefined : await readPlan(args.plan);
    const client = await openClient(flags, env, signal);
    const bound = plan && { desired: plan.desired, observed: plan.observed };
    return showProgress(screen, client.stream(api.apply, { plan: bound }, signal));
  },
});

async function readPlan(path: string): Promise<WirePlan> {
  const text = await readFileIfThere(path);
  if (text === undefined)
    throw new Fault("missing", `there is no file ${path}`, { hint: "Write one with `fed plan -o FILE`." });
  try {
    return planShape.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault("invalid", `${path} is not a plan`, { hint: "Write one with `fed plan -o FILE`.", cause });
  }
}
