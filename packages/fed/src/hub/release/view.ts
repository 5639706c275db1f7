import type { WireFieldChange, WireRelease, WireReleaseDetail, WireRollout } from "#wire/release.ts";
import type { Artifact, Release, Rollout } from "./release.ts";
import type { Track } from "./track.ts";

/** What tells how a release stands, besides itself. */
export interface Marks {
  readonly wanted: string | undefined;
  readonly good: ReadonlySet<string>;
}

export function wireRelease(release: Release, { wanted, good }: Marks): WireRelease {
  const { id, environment, service, number, spec, resolved, artifact, madeMs, madeBy } = release;
  return {
    ...{ id, environment, service, number, spec, machine: resolved.machine, madeMs, madeBy },
    artifact: wireArtifact(artifact),
    wanted: wanted === id,
    good: good.has(id),
  };
}

function wireArtifact(artifact: Artifact): WireRelease["artifact"] {
  if (artifact.kind === "process") return { kind: "process" };
  const { builtOn: _builtOn, ...told } = artifact;
  return told;
}

export function wireDetail(release: Release, marks: Marks): WireReleaseDetail {
  return { ...wireRelease(release, marks), fields: fieldsShown(release) };
}

/** What a release says, by field: what instances are made from, and how they are reached, needed and stopped. */
export function fieldsShown({ resolved, artifact }: Pick<Release, "resolved" | "artifact">): Record<string, string> {
  const { fields, variables, route, needs, stopGraceMs, settleMs = 0, machine } = resolved;
  const times = { stopGrace: `${stopGraceMs / 1_000}s`, settle: `${settleMs / 1_000}s` };
  const shown: Record<string, string> = { ...fields, machine, ...times };
  for (const [name, source] of Object.entries(variables)) {
    const version = source.kind !== "text" && source.version !== undefined ? ` (version ${source.version})` : "";
    const secret = source.kind === "secretFile" ? "file with secret" : "secret";
    shown[`env.${name}`] = source.kind === "text" ? source.text : `${secret} ${source.name}${version}`;
  }
  if (route !== undefined) shown.route = route;
  if (needs.length > 0) shown.needs = needs.join(", ");
  if (artifact.kind === "image") {
    shown.image = artifact.id;
    if (artifact.digest !== undefined) shown.digest = artifact.digest;
    if (artifact.commit !== undefined) shown.commit = artifact.commit;
  }
  return shown;
}

/** The fields in which two releases differ, by name. */
export function changesBetween(
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
): WireFieldChange[] {
  const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return fields
    .filter((field) => from[field] !== to[field])
    .map((field) => ({
      field,
      ...(from[field] === undefined ? {} : { from: from[field] }),
      ...(to[field] === undefined ? {} : { to: to[field] }),
    }));
}

export function wireRollout(
  rollout: Rollout,
  track: Track,
  byId: (release: string) => Pick<Release, "number"> | undefined,
): WireRollout {
  const { id, environment, service, cause, state, reason, output, beganMs, endedMs, by, correlation, request } =
    rollout;
  const named = (release: string | undefined, number?: number) => {
    const known = number ?? (release === undefined ? undefined : byId(release)?.number);
    return release === undefined || known === undefined ? undefined : { id: release, number: known };
  };
  const release = named(rollout.release, request.number);
  const before = named(request.before);
  return {
    ...{ id, environment, service, cause, state, reason, output, beganMs, by, correlation },
    ...(release ? { release } : {}),
    ...(before ? { before } : {}),
    ...(request.promotedFrom === undefined ? {} : { promotedFrom: request.promotedFrom }),
    ...(endedMs === undefined ? {} : { endedMs }),
    ...(track.waits === "" || endedMs !== undefined ? {} : { waits: track.waits }),
    steps: [...track.steps],
  };
}
