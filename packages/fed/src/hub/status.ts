import type { LabDocument } from "@fed/lab";
import type { HubStatus } from "#wire/status.ts";
import type { Certificates } from "./certificate/verbs.ts";
import type { Writing } from "./db/writing.ts";
import type { Desk } from "./desk.ts";
import type { Releases } from "./release/verbs.ts";
import type { RoomWatch } from "./room.ts";
import type { Vault } from "./secret/verbs.ts";
import { securedNames } from "./secured.ts";
import type { Control } from "./service/control.ts";

/** The lab, its services and their instances, as they are now. */
export function statusOf(parts: {
  readonly desk: Desk;
  readonly control: Control;
  readonly releases: Pick<Releases, "brief">;
  readonly room: RoomWatch;
  readonly writing: Writing;
  readonly vault: Pick<Vault, "trouble">;
  readonly certificates: Pick<Certificates, "trouble">;
  readonly ingressUrl: string;
}): HubStatus {
  const { lab, rejected } = parts.desk;
  const services = parts.control.status();
  const troubles = troublesOf(parts);
  const { full } = parts.room;
  const { stopped } = parts.writing;
  const { trouble } = parts.vault;
  return {
    lab: { name: lab.document.name, hash: lab.hash, file: lab.file, acceptedMs: lab.acceptedMs },
    ...(rejected ? { rejected: { atMs: rejected.atMs, diagnostics: [...rejected.diagnostics] } } : {}),
    ready: services.every((one) => one.state === "healthy" || (one.state === "stopped" && one.stopped === true)),
    ingress: parts.ingressUrl,
    ...(full ? { diskFull: full } : {}),
    ...(stopped
      ? { damaged: { sinceMs: stopped.sinceMs, message: stopped.why.message, hint: stopped.why.hint ?? "" } }
      : {}),
    ...(trouble ? { vault: trouble } : {}),
    environments: Object.keys(lab.document.environments),
    ...promotionsOf(lab.document),
    services: services.map((one) => {
      const key = `${one.environment}/${one.service}`;
      const certificate = troubles.get(key);
      return { ...one, ...parts.releases.brief(key), ...(certificate === undefined ? {} : { certificate }) };
    }),
  };
}

/** What is wrong with the certificates of services, by their keys. */
function troublesOf({ desk, control, certificates }: Parameters<typeof statusOf>[0]): ReadonlyMap<string, string> {
  const names = securedNames(desk.lab.document, control.services());
  return new Map(
    names.flatMap(({ service, host, place }) => {
      const trouble = certificates.trouble(place, host);
      return trouble === undefined ? [] : [[service, trouble]];
    }),
  );
}

function promotionsOf({ environments }: LabDocument): Pick<HubStatus, "promoteFrom"> {
  const found = Object.entries(environments).flatMap(([name, { promoteFrom }]) =>
    promoteFrom === undefined ? [] : [[name, promoteFrom] as const],
  );
  return found.length === 0 ? {} : { promoteFrom: Object.fromEntries(found) };
}
