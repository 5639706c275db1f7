import type { HubStatus } from "#wire/status.ts";
import type { Writing } from "./db/writing.ts";
import type { Desk } from "./desk.ts";
import type { RoomWatch } from "./room.ts";
import type { Vault } from "./secret/verbs.ts";
import type { Control } from "./service/control.ts";

/** The lab, its services and their instances, as they are now. */
export function statusOf(parts: {
  readonly desk: Desk;
  readonly control: Control;
  readonly room: RoomWatch;
  readonly writing: Writing;
  readonly vault: Pick<Vault, "trouble">;
  readonly ingressUrl: string;
}): HubStatus {
  const { lab, rejected } = parts.desk;
  const services = parts.control.status();
  const { full } = parts.room;
  const { stopped } = parts.writing;
  const { trouble } = parts.vault;
  return {
    lab: { name: lab.document.name, hash: lab.hash, file: lab.file, acceptedMs: lab.acceptedMs },
    ...(rejected ? { rejected: { atMs: rejected.atMs, diagnostics: [...rejected.diagnostics] } } : {}),
    ready: services.every(({ state }) => state === "healthy"),
    ingress: parts.ingressUrl,
    ...(full ? { diskFull: full } : {}),
    ...(stopped
      ? { damaged: { sinceMs: stopped.sinceMs, message: stopped.why.message, hint: stopped.why.hint ?? "" } }
      : {}),
    ...(trouble ? { vault: trouble } : {}),
    environments: Object.keys(lab.document.environments),
    services: [...services],
  };
}
