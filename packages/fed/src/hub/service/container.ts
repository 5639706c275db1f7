import type { VolumeDocument } from "@fed/lab";
import type { ContainerPlace, Mount } from "#port/runtime.ts";
import { machineAlias } from "./variable.ts";

export interface ContainerWish {
  readonly lab: string;
  readonly environment: string;
  readonly service: string;
  readonly port: number | undefined;
  readonly hostPort: number | undefined;
  readonly volumes: Readonly<Record<string, VolumeDocument>>;
  /** On the hub's own machine, where it finds other services at the hub's doors. */
  readonly local: boolean;
}

/** How a container stands in its machine, by what the lab says of it. Pure. */
export function containerPlace(wish: ContainerWish): ContainerPlace {
  const { port, hostPort } = wish;
  return {
    ...(port === undefined ? {} : { port }),
    ...(port === undefined || hostPort === undefined ? {} : { hostPort }),
    mounts: Object.entries(wish.volumes).flatMap(([name, volume]) => mountOf(wish, name, volume)),
    hosts: wish.local ? { [machineAlias]: "host-gateway" } : {},
  };
}

function mountOf(wish: ContainerWish, name: string, { at, host, readOnly = false }: VolumeDocument): readonly Mount[] {
  // A lab without it was refused by its checks.
  if (at === undefined) return [];
  if (host !== undefined) return [{ kind: "folder", path: host, target: at, readOnly }];
  return [{ kind: "volume", name: volumeName(wish, name), target: at, readOnly }];
}

/** What the engine calls a volume that fed keeps. No name has an underscore: no two volumes can be called the same. */
function volumeName(
  { lab, environment, service }: Pick<ContainerWish, "lab" | "environment" | "service">,
  volume: string,
): string {
  return `fed_${lab}_${environment}_${service}_${volume}`;
}
