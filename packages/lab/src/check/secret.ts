/** Secrets: one has a value wherever a service needs it. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { valueIn } from "../per-environment.ts";
import { environmentsOf, secretOf } from "../resolve.ts";
import { listWords, pathOf } from "./each.ts";

export function checkSecrets(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [name, service] of Object.entries(lab.services)) {
    for (const [variable, value] of Object.entries(service.env ?? {})) {
      const without = new Map<string, string[]>();
      for (const environment of environmentsOf(lab, name)) {
        const secret = secretOf(valueIn(value, environment));
        const only = secret === undefined ? undefined : lab.secrets[secret]?.in;
        if (secret === undefined || only === undefined || only.includes(environment)) continue;
        without.set(secret, [...(without.get(secret) ?? []), environment]);
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
