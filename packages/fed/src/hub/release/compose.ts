import { hashText } from "@fed/lab";
import type { ResolvedService } from "#hub/service/service.ts";
import type { Wanted, WantedRelease, WantedService } from "#hub/service/wanted.ts";
import { type Artifact, canonical, type Release, type Rollout, specOf, type WantedRow } from "./release.ts";

/** What is known of one service of the lab, for what is wanted of it. */
export interface Facts {
  readonly resolved: ResolvedService;
  readonly row: WantedRow | undefined;
  readonly release: Release | undefined;
  /** The release to go back to while a rollout of this one is under way. */
  readonly before?: Release | undefined;
  /** The newest rollout, where there is no release. */
  readonly last: (Pick<Rollout, "state" | "reason"> & Partial<Pick<Rollout, "release">>) | undefined;
}

/** Everything that is wanted, of what the lab says now and which release each service has. Pure. */
export function composeWanted(labHash: string, facts: readonly Facts[]): Wanted {
  const hosts = new Map<string, string>();
  // A host name is whose the lab says now; a release that had it earlier has it only while nobody else does.
  for (const { resolved } of facts) if (resolved.route !== undefined) hosts.set(hostOf(resolved.route), resolved.key);
  const services = facts.map((one) => {
    const service = wantedOf(one);
    const host = service.route === undefined ? undefined : hostOf(service.route);
    if (host === undefined) return service;
    const owner = hosts.get(host) ?? service.key;
    hosts.set(host, owner);
    return owner === service.key ? service : { ...service, route: undefined };
  });
  return { hash: hashText(canonical([labHash, services.map(identityOf)])), services };
}

const hostOf = (route: string) => route.toLowerCase();

function wantedOf({ resolved, row, release, before, last }: Facts): WantedService {
  const stopped = row?.stopped ?? false;
  const replicas = stopped ? 0 : replicasOf(resolved, row);
  if (release === undefined) {
    const withdrawn = last?.state === "cancelled" && last.release !== undefined;
    return { ...resolved, replicas, stopped, release: undefined, held: heldBecause(last), withdrawn };
  }
  const { workload, unsupported: _unsupported, ...said } = release.resolved;
  // The lab's number was thought of what the lab says now: an earlier release may have what only one instance can have.
  const most = said.stopFirst === undefined ? replicas : Math.min(replicas, 1);
  return {
    ...said,
    ...{ replicas: most, stopped, door: resolved.door, unsupported: undefined, held: undefined },
    workload: release.artifact.kind === "image" ? { kind: "image", reference: release.artifact.id } : workload,
    release: wantedRelease(release),
    ...fallbackOf(release, before),
  };
}

function fallbackOf({ spec, resolved }: Release, before: Release | undefined): Pick<WantedService, "fallback"> {
  const { settleMs = 0 } = resolved;
  if (before === undefined || before.spec === spec || settleMs === 0) return {};
  return { fallback: { spec: before.spec, settleMs } };
}

/** The lab's number, unless somebody has said another one and the lab has not changed its own since. */
function replicasOf(resolved: ResolvedService, row: WantedRow | undefined): number {
  return row?.replicas !== undefined && row.labReplicas === resolved.replicas ? row.replicas : resolved.replicas;
}

function heldBecause(last: Facts["last"]): string {
  if (last === undefined) return "has no release yet";
  if (last.state === "failed") return `has no release: ${last.reason}`;
  if (last.state === "cancelled") return "has no release: its rollout was cancelled";
  return "waits for its image";
}

function wantedRelease({ id, number, artifact }: Release): WantedRelease {
  const image = artifact.kind === "image" ? artifact : undefined;
  return { id, number, image: image?.id, digest: image?.digest, commit: image?.commit };
}

function identityOf(service: WantedService) {
  const { key, release, spec, wish, replicas, route, door, held, unsupported, fallback } = service;
  const says = [route ?? "", door ?? {}, held ?? "", unsupported ?? "", fallback ?? {}];
  return [key, release?.id ?? "", spec, wish, replicas, ...says];
}

/**
 * The release that would be made, for a plan. `artifact` undefined: it is not known before it was built or pulled. What instances do
 * not see leaves those of `now` alone.
 */
export function imagined(
  resolved: ResolvedService,
  artifact: Artifact | undefined,
  number: number,
  now: Release | undefined,
): Release {
  const made: Artifact = artifact ?? { kind: "image", id: "not known yet" };
  const plain = specOf(resolved, made, undefined);
  const alike = now !== undefined && specOf(now.resolved, now.artifact, undefined).spec === plain.spec;
  const next = alike ? specOf(resolved, made, now.resolved.fields.restart) : plain;
  const { key, environment, service, wish } = resolved;
  return {
    ...{ id: `next of ${key}`, environment, service, number, wish, madeMs: 0, madeBy: "" },
    ...{ resolved: { ...resolved, ...next }, spec: next.spec, artifact: made },
  };
}

/** What holds in spite of the lab: an earlier release, a stop or a number by hand. `differs`: why, by key. */
export function notesOf(facts: readonly Facts[], differs: (key: string) => string | undefined): readonly string[] {
  return facts.flatMap(({ resolved, row, release }) => {
    const { key } = resolved;
    const why = differs(key);
    const notes = why === undefined ? [] : [`${key} stays at release ${release?.number ?? "?"}: ${why}`];
    if (row?.stopped) notes.push(`${key} was stopped by hand: fed start ${key} ends that`);
    else if (replicasOf(resolved, row) !== resolved.replicas) {
      notes.push(`${key} has ${replicasOf(resolved, row)} replicas by hand, and ${resolved.replicas} by the lab`);
    }
    return notes;
  });
}
