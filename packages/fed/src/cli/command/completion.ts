import { defineCommand } from "../command.ts";
import { completionScripts } from "../completion-script.ts";

export const command = defineCommand({
  args: { shell: { kind: "choice", of: ["bash", "zsh", "fish"], description: "Your shell: bash, zsh or fish" } },
  flags: {},
  details: ["Prints a script for the shell. It completes commands, flags, paths and the services of your lab."],
  examples: [
    { line: "source <(fed completion bash)", says: "for this shell; put it into ~/.bashrc to keep it" },
    { line: "fed completion fish > ~/.config/fish/completions/fed.fish", says: "for every fish" },
  ],
  async run({ args, screen }) {
    const script = completionScripts[args.shell];
    if (screen.json) screen.data({ shell: args.shell, script });
    else screen.verbatim(script);
    return 0;
  },
});
