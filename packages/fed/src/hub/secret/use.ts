import { environmentsOf, type HttpAuth, type LabDocument, secretsOf } from "@fed/lab";
import type { WireSecretUse } from "#wire/secret.ts";

/** Who needs which secret by the lab: services in each environment, and the hub itself. Pure. */
export function usesOf(lab: LabDocument): readonly WireSecretUse[] {
  const uses: WireSecretUse[] = [];
  for (const [service, document] of Object.entries(lab.services)) {
    for (const environment of environmentsOf(lab, service)) {
      for (const name of secretsOf(document, environment))
        uses.push({ name, environment, by: `${environment}/${service}` });
    }
  }
  for (const [machine, { exporters = {} }] of Object.entries(lab.machines)) {
    for (const [job, { auth }] of Object.entries(exporters)) uses.push(...useOf(auth, `exporter ${machine}/${job}`));
  }
  for (const [target, { auth }] of Object.entries(lab.metrics?.remoteWrite ?? {})) {
    uses.push(...useOf(auth, `remote write ${target}`));
  }
  for (const [registry, { auth }] of Object.entries(lab.registries ?? {}))
    uses.push(...useOf(auth, `registry ${registry}`));
  return uses;
}

function useOf(auth: HttpAuth | undefined, by: string): readonly WireSecretUse[] {
  if (auth === undefined) return [];
  return [{ name: "token" in auth ? auth.token.secret : auth.password.secret, by }];
}

/** Those that would get a value that is set for this environment, or for all. */
export function usesOfValue(
  uses: readonly WireSecretUse[],
  { name, environment }: { readonly name: string; readonly environment: string | undefined },
  hasOwn: (environment: string) => boolean,
): readonly WireSecretUse[] {
  return uses.filter((use) => {
    if (use.name !== name) return false;
    if (environment !== undefined || use.environment === undefined) return use.environment === environment;
    return !hasOwn(use.environment);
  });
}
