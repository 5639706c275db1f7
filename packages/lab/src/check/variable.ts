/** Variables that fed sets itself. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { volumeVariable } from "../resolve.ts";
import { eachPlacement, oncePer } from "./each.ts";

export function checkVariables(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { name, service, run } of eachPlacement(lab)) {
    if (run?.kind !== "process" || service.env === undefined) continue;
    const volumes = new Set(Object.keys(service.volumes ?? {}).map(volumeVariable));
    for (const variable of Object.keys(service.env)) {
      const path = ["services", name, "env", variable];
      if (variable === "PORT") {
        const message = "fed itself tells a process its port in PORT.";
        findings.push({
          code: "reserved-variable",
          path,
          message,
          hint: "Write `port`, or leave both out for a free one.",
        });
      } else if (volumes.has(variable)) {
        const message = `fed itself tells a process the folder of its volume in ${variable}.`;
        findings.push({ code: "reserved-variable", path, message, hint: "Take it away, or rename the volume." });
      }
    }
  }
  return findings.filter(oncePer((finding) => JSON.stringify(finding.path)));
}
