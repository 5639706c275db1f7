/** Registries: an image that is built is pushed to one that the lab names, so that a misspelt one is found before the build. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { unknownHint } from "../read/scalar.ts";
import { registryOf } from "../resolve.ts";
import { eachPlacement, oncePer, pathOf } from "./each.ts";

export function checkRegistries(lab: LabDocument): readonly Finding[] {
  const known = new Set(Object.keys(lab.registries ?? {}));
  const isNew = oncePer(({ path, message }: Finding) => JSON.stringify([path, message]));
  const findings: Finding[] = [];
  for (const { name, service, environment, run } of eachPlacement(lab)) {
    if (run?.kind !== "build" || run.push === undefined) continue;
    const registry = registryOf(run.push);
    if (known.has(registry)) continue;
    const finding: Finding = {
      code: "unknown-registry",
      path: [...pathOf(service.run, ["services", name, "run"], environment), "push"],
      message: `It is pushed to ${registry}, and the lab has no such registry.`,
      hint:
        known.size === 0
          ? `Name it, and who the hub is there: registries: { "${registry}": { auth: { user: "me", password: { secret: "NAME" } } } }.`
          : unknownHint(registry, known, "registries"),
    };
    if (isNew(finding)) findings.push(finding);
  }
  return findings;
}
