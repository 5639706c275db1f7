import { Fault } from "#base/fault.ts";
import type { ResolvedService } from "#hub/service/service.ts";
import { beginRollout, cancelRollout, type Deed, standingOf } from "./deed.ts";
import { keyOfPlace, type LabWish, requireResolved, sourceOf } from "./lab.ts";
import { liveOf, mayReplace, type Release, type Rollout, rollbackTarget } from "./release.ts";
import { findNumbered, findOpen, findRelease, type Place, selectReleases } from "./store.ts";

/** A promotion that somebody asks for. */
export interface Promotion {
  readonly service: string;
  readonly from: string;
  readonly to: string;
  readonly release: Release;
}

/** Whether a promotion may go on. Tests, times and approvals come here. */
export type Gate = { readonly kind: "open" } | { readonly kind: "closed"; readonly why: string };

export interface AskNeeds {
  gateOf(promotion: Promotion): Gate;
}

/** Takes what the service is made of anew. */
export function askDeploy(deed: Deed, needs: AskNeeds, lab: LabWish, place: Place): Rollout {
  const resolved = requireResolved(lab, place);
  const base = beginning(deed, resolved);
  if (resolved.workload.kind === "process") {
    const request = { ...base, artifact: { kind: "process" }, again: true } as const;
    return beginRollout(deed, { place, cause: "deploy", request });
  }
  const source = sourceOf(deed.tx, lab, resolved);
  if (source === undefined) return beginRollout(deed, { place, cause: "deploy", request: base });
  return promoteFrom(deed, needs, { place, cause: "deploy", from: source.environment, base });
}

/** Takes the image that serves in another environment. */
export function askPromote(
  deed: Deed,
  needs: AskNeeds,
  lab: LabWish,
  { from: said, ...place }: Place & { readonly from?: string | undefined },
): Rollout {
  const resolved = requireResolved(lab, place);
  const from = said ?? lab.document.environments[place.environment]?.promoteFrom;
  if (from === undefined) {
    throw new Fault("invalid", `the environment ${place.environment} promotes from no other`, {
      hint: "Say which by --from, or give it promoteFrom in the lab.",
    });
  }
  if (from === place.environment) throw new Fault("invalid", `${from} cannot be promoted to itself`);
  requireResolved(lab, { environment: from, service: place.service });
  if (resolved.workload.kind === "process") {
    throw new Fault("unsupported", `${resolved.key} is a process: there is no image that could be promoted`, {
      hint: `fed deploy ${resolved.key} starts new instances of it.`,
    });
  }
  const base = beginning(deed, resolved);
  return promoteFrom(deed, needs, { place, cause: "promote", from, base });
}

function promoteFrom(
  deed: Deed,
  needs: AskNeeds,
  wish: {
    readonly place: Place;
    readonly cause: "deploy" | "promote";
    readonly from: string;
    readonly base: Base;
  },
): Rollout {
  const { place, cause, from, base } = wish;
  const source = { environment: from, service: place.service };
  const live = liveOf(standingOf(deed.tx, source));
  const release = live === undefined ? undefined : findRelease(deed.tx, live);
  if (release?.artifact.kind !== "image") {
    const why = release === undefined ? "has no release that has served" : "is a process there";
    throw new Fault("conflict", `there is nothing to promote: ${keyOfPlace(source)} ${why}`, {
      hint: `fed releases ${keyOfPlace(source)} shows what it has.`,
    });
  }
  const gate = needs.gateOf({ service: place.service, from, to: place.environment, release });
  if (gate.kind === "closed") {
    throw new Fault("conflict", `${keyOfPlace(source)} cannot be promoted to ${place.environment} yet: ${gate.why}`);
  }
  return beginRollout(deed, { place, cause, request: { ...base, artifact: release.artifact, promotedFrom: from } });
}

/** Makes an earlier release serve again, exactly as it was. */
export function askRollback(
  deed: Deed,
  lab: LabWish,
  { to, ...place }: Place & { readonly to?: number | undefined },
): Rollout {
  const resolved = requireResolved(lab, place);
  const standing = standingOf(deed.tx, place);
  const { wanted, good } = standing;
  const base = beginning(deed, resolved, "now is not asked");
  if (wanted === undefined) throw new Fault("conflict", `${resolved.key} has no release yet`);
  const target =
    to === undefined ? rollbackTarget(selectReleases(deed.tx, place), wanted, good) : findNumbered(deed.tx, place, to);
  if (target === undefined) {
    throw nothingToGoBackTo(deed, place, wanted, good, to);
  }
  if (target.id === wanted.id)
    throw new Fault("conflict", `release ${target.number} is the one that is wanted already`);
  requireFit(lab, target);
  return beginRollout(deed, {
    ...{ place, cause: "rollback" },
    request: { ...base, resolved: target.resolved, release: target.id, artifact: target.artifact },
  });
}

function nothingToGoBackTo(deed: Deed, place: Place, wanted: Release, good: ReadonlySet<string>, to?: number): Fault {
  const key = keyOfPlace(place);
  const what = to === undefined ? "no earlier release that has served" : `no release ${to}`;
  const alike = selectReleases(deed.tx, place)
    .filter(({ id, number }) => to === undefined && number < wanted.number && good.has(id))
    .reduce((found, { number }) => Math.max(found, number), 0);
  if (alike === 0) {
    return new Fault("missing", `${key} has ${what} to go back to`, {
      hint: `fed releases ${key} shows what is kept.`,
    });
  }
  return new Fault("missing", `no earlier release of ${key} says anything else than release ${wanted.number}`, {
    hint: `Release ${alike} is the same with other instances. fed rollback ${key} --to ${alike} goes back to it, fed restart ${key} gives it new ones.`,
  });
}

/** What a release needs of the lab that it came from, the lab must still have. */
function requireFit(lab: LabWish, { number, resolved }: Release): void {
  const keys = new Set(lab.resolved.map(({ key }) => key));
  const gone = resolved.needs.find((need) => !keys.has(need));
  const taken = lab.resolved.find(({ key, route }) => {
    return key !== resolved.key && route !== undefined && route.toLowerCase() === resolved.route?.toLowerCase();
  });
  const why =
    lab.document.machines[resolved.machine] === undefined
      ? `it runs on ${resolved.machine}, which the lab has no more`
      : gone !== undefined
        ? `it needs ${gone}, which the lab has no more`
        : taken && `its host name ${resolved.route} is that of ${taken.key} now`;
  if (why) throw new Fault("conflict", `${resolved.key} cannot go back to release ${number}: ${why}`);
}

/** New instances of what is wanted; where nothing is yet, another try to make it. */
export function askRestart(deed: Deed, needs: AskNeeds, lab: LabWish, place: Place): Rollout {
  const resolved = requireResolved(lab, place);
  const { row, wanted } = standingOf(deed.tx, place);
  if (row === undefined || wanted === undefined) return askDeploy(deed, needs, lab, place);
  const base = beginning(deed, resolved, "now is not asked");
  return beginRollout(deed, {
    ...{ place, cause: "restart" },
    request: { ...base, wish: row.wish, resolved: wanted.resolved, artifact: wanted.artifact, again: true },
  });
}

export function askCancel(deed: Deed, place: Place): Rollout {
  const open = findOpen(deed.tx, place);
  if (open) return cancelRollout(deed, open, "somebody cancelled it");
  throw new Fault("conflict", `no rollout of ${keyOfPlace(place)} is under way`, {
    hint: `fed releases ${keyOfPlace(place)} shows the last ones.`,
  });
}

interface Base {
  readonly resolved: ResolvedService;
  readonly wish: string;
  readonly before: string | undefined;
}

/** One at a time for each service: what is open goes on, unless it only fails again and again. */
function beginning(
  deed: Deed,
  resolved: ResolvedService,
  asked: "as the lab has it" | "now is not asked" = "as the lab has it",
): Base {
  const { key, unsupported, wish } = resolved;
  if (asked === "as the lab has it" && unsupported !== undefined) {
    throw new Fault("unsupported", `${key} does not run here: ${unsupported}`);
  }
  const { open } = standingOf(deed.tx, resolved);
  if (open && !mayReplace(open)) {
    throw new Fault("conflict", `a rollout of ${key} is under way, begun by ${open.by}`, {
      hint: `Wait until it is done, or end it: fed cancel ${key}.`,
      details: { rollout: open.id },
    });
  }
  if (open) cancelRollout(deed, open, "another one was asked for");
  return { resolved, wish, before: liveOf(standingOf(deed.tx, resolved)) };
}
