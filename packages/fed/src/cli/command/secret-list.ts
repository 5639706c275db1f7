import { api } from "#wire/api.ts";
import type { WireSecretUse } from "#wire/secret.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { localTime } from "../moment.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: [
    "Names and versions only: no value ever leaves the hub but to the instances that need it.",
    "Exit code 3 when the lab needs a secret that has no value.",
  ],
  examples: [{ line: "fed secret list", says: "what there is, and what the lab still needs" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { secrets, missing } = await client.call(api.secrets, {}, signal);
    if (screen.json) screen.data({ secrets, missing });
    else if (secrets.length === 0 && missing.length === 0) {
      screen.line("There are no secrets: fed secret set NAME puts one into the vault.");
    } else {
      if (secrets.length > 0) {
        screen.table({
          columns: [
            ...[{ title: "SECRET" }, { title: "ENVIRONMENT" }, { title: "VERSION", align: "right" as const }],
            ...[{ title: "SET" }, { title: "BY" }, { title: "" }],
          ],
          rows: secrets.map(({ name, environment, version, setMs, setBy = "", lost }) => [
            { text: name, style: "strong" },
            environment ?? "all",
            version === 0 ? "file" : String(version),
            { text: setMs === undefined ? "" : localTime(setMs), style: "dim" },
            { text: setBy, style: "dim" },
            { text: lost ? "its master key is lost" : "", style: "bad" },
          ]),
        });
      }
      for (const line of missingLines(missing)) screen.line({ text: line, style: "bad" });
    }
    return missing.length === 0 ? 0 : 3;
  },
});

/** One line for each secret and environment, with who needs it. */
function missingLines(missing: readonly WireSecretUse[]): readonly string[] {
  const needs = new Map<string, string[]>();
  for (const { name, environment, by } of missing) {
    const what = environment === undefined ? name : `${name} --env ${environment}`;
    needs.set(what, [...(needs.get(what) ?? []), by]);
  }
  return [...needs].map(([what, by]) => `missing for ${by.join(", ")}: fed secret set ${what}`);
}
