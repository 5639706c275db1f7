import { ingressOf, type LabDocument } from "@fed/lab";
import type { NamedCertificates, SecuredName } from "./certificate/verbs.ts";
import type { WantedService } from "./service/wanted.ts";

/** What a lab gives to an ingress: to that of fed itself, or to the Caddy that a machine names. */
export function certificatesOf(document: LabDocument, folder: string, place: string): NamedCertificates {
  return { certificates: ingressOf(document, place).ingress.certificates ?? [], folder };
}

/** Which ingress leads to a machine: its own by the machine's name, "" is that of fed. */
export function placeOf(document: LabDocument, machine: string): string {
  const { ingress } = ingressOf(document, machine);
  return ingress.kind === "caddy" ? machine : "";
}

/** The host names of these services that want a given certificate. */
export function securedNames(
  document: LabDocument,
  services: readonly Pick<WantedService, "key" | "machine" | "route" | "tls">[],
): readonly SecuredName[] {
  return services.flatMap(({ key, machine, route, tls }) =>
    route === undefined || tls !== "given"
      ? []
      : [{ service: key, host: route.toLowerCase(), place: placeOf(document, machine) }],
  );
}
