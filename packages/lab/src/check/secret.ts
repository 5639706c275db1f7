/** Secrets: one has a value wherever a service needs it. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { valueIn } from "../per-environment.ts";
import { environmentsOf } from "../resolve.ts";
import { listWords, pathOf } from "./each.ts";

export function checkSecrets(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [name, service] of Object.entries(lab.services)) {
    for (const [variable, value] of Object.entries(service.env ?? {})) {
      const without = new Map<string, string[]>();
      for (const environment of environmentsOf(lab, name)) {
        const held = valueIn(value, environment);
        if (typeof held !== "object" || !("secret" in held)) continue;
        const only = lab.secrets[held.secret]?.in;
        if (only === undefined || only.includes(environment)) continue;
        without.set(held.secret, [...(without.get(held.secret) ?? []), environment]);
      }
      for (const [secret, environments] of without) {
        findings.push({
          code: "secret-missing",
          path: pathOf(value, ["services", name, "env", variable], environments[0] ?? ""),
          message: `It needs the secret ${secret} in ${listWords(environments)}, where ${secret} has no value.`,
          hint: `Add ${listWords(environments.map((word) => `"${word}"`))} to secrets.${secret}.in, or give the variable another value there.`,
        });
      }
    }
  }
  return findings;
}
