import type { HubStatus } from "#wire/status.ts";
import type { Desk } from "./desk.ts";
import type { Control } from "./service/control.ts";

/** The lab, its services and their instances, as they are now. */
export function statusOf(desk: Desk, control: Control, ingressUrl: string): HubStatus {
  const { lab, rejected } = desk;
  const services = control.status();
  return {
    lab: { name: lab.document.name, hash: lab.hash, file: lab.file, acceptedMs: lab.acceptedMs },
    ...(rejected ? { rejected: { atMs: rejected.atMs, diagnostics: [...rejected.diagnostics] } } : {}),
    ready: services.every(({ state }) => state === "healthy"),
    ingress: ingressUrl,
    environments: Object.keys(lab.document.environments),
    services: [...services],
  };
}
