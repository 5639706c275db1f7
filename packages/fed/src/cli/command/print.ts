import { systemClock } from "#base/clock.ts";
import { loadLab } from "#hub/lab/load.ts";
import { defineCommand } from "../command.ts";
import { showDiagnostics } from "../diagnostic.ts";
import { labArg, labPath } from "../lab-path.ts";

export const command = defineCommand({
  args: labArg,
  flags: { hash: { kind: "switch", description: "Print the hash only" } },
  details: [
    "The first line is the hash, the identity of what is wanted; the document follows, indented.",
    "With --json it is the canonical document itself, byte for byte what the hash is made from.",
  ],
  examples: [
    { line: "fed print", says: "show the lab of this folder" },
    { line: "fed print --hash", says: "show what identifies it" },
    { line: "fed print --json | jq .services", says: "work on it as data" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { path } = labPath(args, env);
    const loaded = await loadLab(path, { clock: systemClock }, signal);
    if (loaded.kind === "rejected") {
      if (screen.json) screen.data({ ok: false, file: loaded.file, diagnostics: loaded.diagnostics });
      showDiagnostics(screen, loaded.diagnostics, env.cwd);
      return 2;
    }
    if (flags.hash) {
      if (screen.json) screen.data({ hash: loaded.hash });
      screen.line(loaded.hash);
    } else if (screen.json) screen.verbatim(`${loaded.text}\n`);
    else {
      screen.line({ text: loaded.hash, style: "dim" });
      screen.line(JSON.stringify(JSON.parse(loaded.text), null, 2));
    }
    return 0;
  },
});
