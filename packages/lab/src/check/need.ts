/** What services need of each other: it must run in the same environment, and nothing may need itself in the end. */

import type { Finding, Path } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { valueIn } from "../per-environment.ts";
import { environmentsOf, needsOf } from "../resolve.ts";
import { findCycles } from "./cycle.ts";
import { eachPlacement, listWords, pathOf } from "./each.ts";

/** A cycle in `needs` (or in what `{ service }` implies), shown as it goes round. */
export function checkCycles(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const environment of Object.keys(lab.environments)) {
    for (const cycle of findCycles(graphIn(lab, environment))) {
      const key = [...cycle].sort().join(" ");
      if (seen.has(key)) continue;
      seen.add(key);
      const [first = "", second = first] = cycle;
      findings.push({
        code: "needs-cycle",
        path: pathOfNeed(lab, first, second, environment),
        message: `Services need each other in a circle: ${[...cycle, first].join(" → ")}. None could start first.`,
        hint: "Take one of these needs away. { service } in a variable implies one.",
      });
    }
  }
  return findings;
}

function graphIn(lab: LabDocument, environment: string): ReadonlyMap<string, readonly string[]> {
  const graph = new Map<string, readonly string[]>();
  for (const [name, service] of Object.entries(lab.services)) {
    if (service.in !== undefined && !service.in.includes(environment)) continue;
    const needs = needsOf(name, service, environment);
    // A variable may hold the service's own address; only `needs` can make it need itself.
    graph.set(name, service.needs?.includes(name) === true ? [name, ...needs] : needs);
  }
  return graph;
}

/** Where `name` says that it needs `target` in an environment. */
function pathOfNeed(lab: LabDocument, name: string, target: string, environment: string): Path {
  const service = lab.services[name];
  const index = service?.needs?.indexOf(target) ?? -1;
  if (index >= 0) return ["services", name, "needs", index];
  for (const [variable, value] of Object.entries(service?.env ?? {})) {
    const held = valueIn(value, environment);
    const path = ["services", name, "env", variable];
    if (typeof held === "object" && "service" in held && held.service === target) {
      return [...pathOf(value, path, environment), "service"];
    }
  }
  return ["services", name];
}

/** A service that is needed, or referred to, where it does not run. */
export function checkPresence(lab: LabDocument): readonly Finding[] {
  const missing = new Map<string, { name: string; target: string; environments: string[] }>();
  for (const { name, service, environment } of eachPlacement(lab)) {
    for (const target of needsOf(name, service, environment)) {
      const document = Object.hasOwn(lab.services, target) ? lab.services[target] : undefined;
      if (document?.in === undefined || document.in.includes(environment)) continue;
      const key = JSON.stringify([name, target]);
      const entry = missing.get(key) ?? { name, target, environments: [] };
      entry.environments.push(environment);
      missing.set(key, entry);
    }
  }
  return [...missing.values()].map(({ name, target, environments }) => ({
    code: "not-in-environment" as const,
    path: pathOfNeed(lab, name, target, environments[0] ?? ""),
    message: `It needs ${target} in ${listWords(environments)}, where ${target} does not run.`,
    hint: `Add ${listWords(environments.map((word) => `"${word}"`))} to services.${target}.in, or keep ${name} out of ${listWords(environments)}.`,
  }));
}

/** A map of `run` that has nothing for an environment the service runs in. */
export function checkRun(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const name of Object.keys(lab.services)) {
    const run = lab.services[name]?.run;
    const without = environmentsOf(lab, name).filter((environment) => valueIn(run, environment) === undefined);
    if (without.length === 0) continue;
    findings.push({
      code: "no-run",
      path: ["services", name, "run"],
      message: `It says nothing about how to run in ${listWords(without)}.`,
      hint: "Add the environment or a `default` to the map, or list the service's environments under `in`.",
    });
  }
  return findings;
}
