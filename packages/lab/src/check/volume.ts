/** Volumes: data stays on the machine where it was written. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { environmentsOf, identityOf, machineOf } from "../resolve.ts";
import { eachPlacement, oncePer, pathOf } from "./each.ts";

/** A container's volume without a place in it, two volumes at one place. */
export function checkVolumes(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { name, service, run } of eachPlacement(lab)) {
    const volumes = Object.entries(service.volumes ?? {});
    if (volumes.length === 0) continue;
    const taken = new Map<string, string>();
    for (const [volume, { at }] of volumes) {
      const path = ["services", name, "volumes", volume];
      if (at === undefined) {
        if (run === undefined || run.kind === "process") continue;
        const message = "A container needs to know where it finds the volume.";
        findings.push({ code: "no-mount-point", path, message, hint: 'Add `at`, as in { at: "/data" }.' });
        continue;
      }
      const other = taken.get(at);
      if (other === undefined) taken.set(at, volume);
      else
        findings.push({
          code: "duplicate",
          path: [...path, "at"],
          message: `${other} is already at ${at}.`,
          hint: "Give it another place.",
        });
    }
  }
  return findings.filter(oncePer((finding) => JSON.stringify([finding.path, finding.message])));
}

/**
 * What a new lab would do to the data of the one before: a service whose volume would be on another machine. Volumes
 * with a `host` path are left out: that path may well be shared.
 */
export function checkMoves(before: LabDocument, after: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [name, service] of Object.entries(after.services)) {
    const old = Object.hasOwn(before.services, name) ? before.services[name] : undefined;
    const kept = Object.entries(service.volumes ?? {}).find(
      ([volume, { host }]) => host === undefined && Object.hasOwn(old?.volumes ?? {}, volume),
    );
    if (kept === undefined) continue;
    const shared = environmentsOf(after, name).filter((word) => environmentsOf(before, name).includes(word));
    for (const environment of shared) {
      const from = machineOf(before, name, environment);
      const to = machineOf(after, name, environment);
      if (from === undefined || to === undefined || sameMachine(before, from, after, to)) continue;
      findings.push({
        code: "volume-moves",
        path: pathOf(service.on, ["services", name, service.on === undefined ? "volumes" : "on"], environment),
        message: `In ${environment} it would move from ${from} to ${to}, but its volume ${kept[0]} stays on ${from}.`,
        hint: `Keep it there with on: { ${environment}: "${from}" }, or give the volume a new name to start empty.`,
      });
    }
  }
  return findings;
}

function sameMachine(before: LabDocument, from: string, after: LabDocument, to: string): boolean {
  const old = before.machines[from];
  const now = after.machines[to];
  return from === to || (old !== undefined && now !== undefined && identityOf(old, from) === identityOf(now, to));
}
