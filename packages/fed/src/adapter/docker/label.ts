import type { InstanceLabels } from "#port/runtime.ts";

/** The id's own label: what bears it is ours. */
export const idLabel = "fed.id";
/** The port inside at which it listens, so that its address is told apart from other published ports. */
export const portLabel = "fed.port";
export const labLabel = "fed.lab";
export const environmentLabel = "fed.environment";
export const serviceLabel = "fed.service";

export type EngineLabels = Readonly<Record<string, string>>;

/** What a container bears. Podman takes no label without a value. */
export function toEngineLabels(id: string, labels: InstanceLabels, port: number | undefined): EngineLabels {
  const { lab, environment, service, spec, replica, release, digest, commit } = labels;
  const optional = { "fed.release": release, "fed.digest": digest, "fed.commit": commit, [portLabel]: port };
  return {
    ...{ [idLabel]: id, [labLabel]: lab, [environmentLabel]: environment },
    ...{ [serviceLabel]: service, "fed.spec": spec, "fed.replica": String(replica) },
    ...Object.fromEntries(
      Object.entries(optional).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
  };
}

/** Read back; undefined for what somebody else has labelled, or half of it. */
export function fromEngineLabels(
  found: EngineLabels,
): { readonly id: string; readonly labels: InstanceLabels } | undefined {
  const { [idLabel]: id, [labLabel]: lab, [environmentLabel]: environment } = found;
  const { [serviceLabel]: service, "fed.spec": spec, "fed.replica": replica } = found;
  const { "fed.release": release, "fed.digest": digest, "fed.commit": commit } = found;
  const isWhole = [id, lab, environment, service, spec].every((text) => text !== undefined && text !== "");
  if (!isWhole || id === undefined || lab === undefined || environment === undefined) return undefined;
  if (service === undefined || spec === undefined || !/^\d{1,6}$/.test(replica ?? "")) return undefined;
  return {
    id,
    labels: {
      ...{ lab, environment, service, spec, replica: Number(replica) },
      ...(release === undefined ? {} : { release }),
      ...(digest === undefined ? {} : { digest }),
      ...(commit === undefined ? {} : { commit }),
    },
  };
}
