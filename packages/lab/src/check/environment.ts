/** Environments and machines: promotion leads somewhere, services run on machines of their environment. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { identityOf, machineOf } from "../resolve.ts";
import { findCycles } from "./cycle.ts";
import { eachPlacement, oncePer, pathOf } from "./each.ts";

/** An environment that promotes from itself, directly or round a circle. */
export function checkPromotion(lab: LabDocument): readonly Finding[] {
  const graph = new Map<string, readonly string[]>();
  for (const [name, { promoteFrom }] of Object.entries(lab.environments)) {
    graph.set(name, promoteFrom === undefined ? [] : [promoteFrom]);
  }
  return findCycles(graph).map((cycle) => {
    const [first = ""] = cycle;
    const circle = [...cycle, first].join(" from ");
    return {
      code: "promotion-cycle" as const,
      path: ["environments", first, "promoteFrom"],
      message: cycle.length === 1 ? `${first} promotes from itself.` : `Environments promote in a circle: ${circle}.`,
      hint: "One environment has no `promoteFrom`: the one where changes arrive.",
    };
  });
}

/** `on` names a machine that the environment does not have. */
export function checkPlacement(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { name, service, environment } of eachPlacement(lab)) {
    if (service.on === undefined) continue;
    const machines = lab.environments[environment]?.machines ?? [];
    const machine = machineOf(lab, name, environment);
    if (machine === undefined || machines.includes(machine)) continue;
    findings.push({
      code: "machine-outside-environment",
      path: pathOf(service.on, ["services", name, "on"], environment),
      message: `In ${environment} it is to run on ${machine}, which is not a machine of ${environment}.`,
      hint: `Add "${machine}" to environments.${environment}.machines, say \`on\` by environment, or list its environments under \`in\`.`,
    });
  }
  return findings;
}

/** Two names for one machine: a warning, since their ports are checked as one. */
export function checkMachines(lab: LabDocument): readonly Finding[] {
  const isFirst = oncePer(([name, machine]: [string, LabDocument["machines"][string]]) => identityOf(machine, name));
  return Object.entries(lab.machines)
    .filter((entry) => !isFirst(entry))
    .map(([name, machine]) => ({
      code: "same-machine" as const,
      severity: "warning" as const,
      path: ["machines", name],
      message: `It has the same address as another machine: ${identityOf(machine, name)}.`,
      hint: "One machine can be in several environments; it needs only one name.",
    }));
}
