import { defineCommand } from "../command.ts";
import { showCommand, showOverview } from "../help.ts";
import { findEntry } from "../run.ts";

export const command = defineCommand({
  args: { command: { kind: "command", optional: true, description: "The command to explain" } },
  flags: {},
  examples: [
    { line: "fed help", says: "list the commands" },
    { line: "fed help up", says: "explain fed up" },
  ],
  async run({ args, program, screen }) {
    if (args.command === undefined) {
      showOverview(screen, program);
      return 0;
    }
    const entry = findEntry(program, args.command);
    showCommand(screen, entry, await entry.load());
    return 0;
  },
});
