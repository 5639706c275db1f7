import { Fault } from "#base/fault.ts";
import { defineCommand } from "../command.ts";
import { showCommand, showFamily, showOverview } from "../help.ts";
import { findEntry } from "../run.ts";

export const command = defineCommand({
  args: { command: { kind: "command", many: true, optional: true, description: "The command to explain" } },
  flags: {},
  examples: [
    { line: "fed help", says: "list the commands" },
    { line: "fed help up", says: "explain fed up" },
    { line: "fed help user add", says: "explain a command of two words" },
  ],
  async run({ args, program, screen }) {
    const [first, second, ...more] = args.command;
    if (first === undefined) {
      showOverview(screen, program);
      return 0;
    }
    const family = program.families.find(({ name }) => name === first);
    if (family && second === undefined) {
      showFamily(screen, program, family);
      return 0;
    }
    const entry = findEntry(program, first, second);
    const extra = entry.name.includes(" ") ? more[0] : second;
    if (extra !== undefined) {
      throw new Fault("invalid", `help explains one command; ${JSON.stringify(extra)} is too many`, {
        hint: "fed help lists them all",
      });
    }
    showCommand(screen, entry, await entry.load());
    return 0;
  },
});
