/** Host names: each leads to one service in one environment. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { valueIn } from "../per-environment.ts";
import { eachPlacement, oncePer, pathOf } from "./each.ts";

export function checkHosts(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const claims = new Map<string, { readonly name: string; readonly environment: string }>();
  const isNew = oncePer((key: string) => key);
  for (const { name, service, environment } of eachPlacement(lab)) {
    const host = valueIn(service.route, environment);
    if (host === undefined) continue;
    const first = claims.get(host);
    if (first === undefined) {
      claims.set(host, { name, environment });
      continue;
    }
    if (!isNew(JSON.stringify([first.name, name, host]))) continue;
    const same = first.name === name;
    findings.push({
      code: "host-collision",
      path: pathOf(service.route, ["services", name, "route"], environment),
      message: same
        ? `${name} claims ${host} both in ${first.environment} and in ${environment}.`
        : `${first.name} (in ${first.environment}) and ${name} (in ${environment}) both claim ${host}.`,
      hint: same
        ? `Give it a host name for each environment: { ${first.environment}: "${host}", ${environment}: "…" }.`
        : "Give one of them another host name.",
    });
  }
  return findings;
}
