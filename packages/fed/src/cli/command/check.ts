import { systemClock } from "#base/clock.ts";
import { loadLab } from "#hub/lab/load.ts";
import { defineCommand } from "../command.ts";
import { showDiagnostics } from "../diagnostic.ts";
import { labArg, labPath } from "../lab-path.ts";
import { checkTypes } from "../type-check.ts";

export const command = defineCommand({
  args: labArg,
  flags: { types: { kind: "switch", description: "Let the TypeScript compiler read it too, as an editor does" } },
  details: ["Says ok and ends with 0, or lists everything wrong and ends with 2. Nothing is started or changed."],
  examples: [
    { line: "fed check", says: "check the lab of this folder" },
    { line: "fed check ~/labs/ocean --types", says: "check another one, types included" },
    { line: "fed check --json", says: "print what is wrong as data" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { path } = labPath(args, env);
    const loaded = await loadLab(path, { clock: systemClock }, signal);
    if (loaded.printed !== "") screen.note({ text: loaded.printed.trimEnd(), style: "dim" });
    const found = loaded.kind === "loaded" ? loaded.warnings : loaded.diagnostics;
    const diagnostics = flags.types ? [...(await checkTypes(loaded.file, env, signal)), ...found] : found;
    const ok = diagnostics.every(({ severity }) => severity === "warning");
    if (screen.json)
      screen.data({ ok, file: loaded.file, hash: loaded.kind === "loaded" ? loaded.hash : undefined, diagnostics });
    showDiagnostics(screen, diagnostics, env.cwd);
    if (ok) screen.line({ text: "ok", style: "good" });
    return ok ? 0 : 2;
  },
});
