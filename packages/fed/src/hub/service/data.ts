import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, fileFault } from "#disk/file-fault.ts";
import { keyOf } from "./service.ts";
import type { Sites } from "./sites.ts";
import type { WantedService } from "./wanted.ts";

/** Data that fed keeps for a service. Folders that the lab names are people's own, and none of it. */
export interface KeptData {
  readonly environment: string;
  readonly service: string;
  /** Of a container, what the engine calls the volume; of a process, the volume's name in the lab. */
  readonly name: string;
  /** Whose engine has it; undefined: it is a folder of the hub's. */
  readonly machine: string | undefined;
  /** The service is in the lab, and has it. */
  readonly used: boolean;
}

export interface FoundData {
  readonly data: readonly KeptData[];
  /** Machines that cannot be asked now, each with the reason. */
  readonly unseen: ReadonlyMap<string, string>;
}

export interface DataNeeds {
  readonly sites: Pick<Sites, "volumes">;
  readonly dataFolder: string;
}

/** All that there is, whether the lab still has a service for it or not; in order of service and name. */
export async function findData(
  { sites, dataFolder }: DataNeeds,
  services: readonly WantedService[],
  signal: AbortSignal,
): Promise<FoundData> {
  const used = new Set(services.flatMap((service) => placesOf(service).map(placeKey)));
  const folders = await listFolders(join(dataFolder, "volumes"));
  const { volumes, unseen } = await sites.volumes(signal);
  const data = [...folders, ...volumes].map((one) => ({ ...one, used: used.has(placeKey(one)) }));
  const order = (one: KeptData) => [keyOf(one.environment, one.service), one.name, one.machine ?? ""].join(" ");
  return { data: data.sort((a, b) => (order(a) < order(b) ? -1 : 1)), unseen };
}

export function folderOf(
  dataFolder: string,
  { environment, service, name }: Omit<KeptData, "machine" | "used">,
): string {
  return join(dataFolder, "volumes", environment, service, name);
}

type Place = Omit<KeptData, "used">;

const placeKey = ({ environment, service, name, machine }: Place) =>
  JSON.stringify([environment, service, name, machine ?? null]);

/** Where a service keeps its data, as it is wanted. */
function placesOf({ environment, service, machine, container, volumes }: WantedService): readonly Place[] {
  const names =
    container === undefined
      ? volumes.flatMap(({ name, host }) => (host === undefined ? [name] : []))
      : container.mounts.flatMap((mount) => (mount.kind === "volume" ? [mount.name] : []));
  return names.map((name) => ({ environment, service, name, machine: container && machine }));
}

/** The folders of processes: environment, service, volume. */
async function listFolders(root: string): Promise<readonly Place[]> {
  const below = async (folder: string) => {
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
    } catch (thrown) {
      if (errorCode(thrown) === "ENOENT") return [];
      throw fileFault(thrown, "look into", folder);
    }
  };
  const found: Place[] = [];
  for (const environment of await below(root))
    for (const service of await below(join(root, environment)))
      for (const name of await below(join(root, environment, service)))
        found.push({ environment, service, name, machine: undefined });
  return found;
}
