import { Fault, isFault } from "#base/fault.ts";
import type { InstanceSpec, StoredVolume } from "#port/runtime.ts";
import { type ListedVolume, readAnswer, volumeAnswer, volumesAnswer } from "./answer.ts";
import { environmentLabel, labLabel, serviceLabel } from "./label.ts";
import type { State } from "./state.ts";

/** Makes what an instance mounts and is not there; one that is there stays as it is, whoever made it. */
export async function ensureVolumes(
  { client }: State,
  { labels, container }: Pick<InstanceSpec, "labels" | "container">,
  signal: AbortSignal,
): Promise<void> {
  for (const mount of container?.mounts ?? []) {
    if (mount.kind !== "volume") continue;
    const whose = { [labLabel]: labels.lab, [environmentLabel]: labels.environment, [serviceLabel]: labels.service };
    const json = { Name: mount.name, Labels: whose };
    await client.json({ method: "POST", path: "/volumes/create", json, what: `volume ${mount.name}` }, signal);
  }
}

export async function listVolumes({ client }: State, signal: AbortSignal): Promise<readonly StoredVolume[]> {
  const what = "list of volumes";
  const query = { filters: JSON.stringify({ label: [labLabel] }) };
  const answer = await client.json({ method: "GET", path: "/volumes", query, what }, signal);
  const { Volumes } = readAnswer(client.name, what, volumesAnswer, answer);
  return (Volumes ?? []).flatMap((one) => ownerOf(one) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Removes a volume with what is in it. Fault `conflict` while a container has it, `denied` for somebody else's. */
export async function removeVolume({ client }: State, name: string, signal: AbortSignal): Promise<void> {
  const path = `/volumes/${encodeURIComponent(name)}`;
  const what = `removal of the volume ${name}`;
  try {
    const found = readAnswer(client.name, what, volumeAnswer, await client.json({ method: "GET", path, what }, signal));
    if (ownerOf(found) === undefined) {
      throw new Fault("denied", `the volume ${name} was not made by fed, and stays`, {
        hint: `Remove it by hand if it is yours to remove: ${client.name} volume rm ${name}`,
      });
    }
    await client.json({ method: "DELETE", path, what }, signal);
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "missing") throw thrown;
  }
}

function ownerOf({ Name, Labels }: ListedVolume): StoredVolume | undefined {
  const { [labLabel]: lab, [environmentLabel]: environment, [serviceLabel]: service } = Labels;
  if (lab === undefined || environment === undefined || service === undefined) return undefined;
  return { name: Name, lab, environment, service };
}
