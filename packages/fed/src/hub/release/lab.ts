import type { LabDocument } from "@fed/lab";
import { Fault } from "#base/fault.ts";
import type { Reader } from "#disk/sqlite.ts";
import type { ResolvedService } from "#hub/service/service.ts";
import type { Facts } from "./compose.ts";
import { beginRollout, cancelRollout, type Deed, rowOf, standingOf } from "./deed.ts";
import {
  liveOf,
  type Release,
  type RolloutRequest,
  rolloutForLab,
  type Source,
  type Standing,
  sameWorkload,
  type WantedRow,
} from "./release.ts";
import {
  findDecisive,
  findOpen,
  findRelease,
  type Place,
  saveWanted,
  selectOpen,
  selectRollouts,
  selectWanted,
} from "./store.ts";

/** The lab as it is wished, with every service in every environment decided. */
export interface LabWish {
  readonly hash: string;
  readonly document: Pick<LabDocument, "environments" | "machines" | "registries">;
  /** Sorted by key. */
  readonly resolved: readonly ResolvedService[];
}

export function placeOfKey(key: string): Place {
  const slash = key.indexOf("/");
  return { environment: key.slice(0, slash), service: key.slice(slash + 1) };
}

export const keyOfPlace = ({ environment, service }: Place) => `${environment}/${service}`;

/** The service as the lab has it now. Fault `missing`. */
export function requireResolved(lab: LabWish, place: Place): ResolvedService {
  const found = lab.resolved.find(({ key }) => key === keyOfPlace(place));
  if (found) return found;
  throw new Fault("missing", `the lab has no service ${keyOfPlace(place)}`);
}

/**
 * Where a service's image comes from, when its environment promotes and the other one makes it of the same. What the other
 * environment does not have, or makes of something else, is no matter of promotion.
 */
export function sourceOf(db: Reader, lab: LabWish, resolved: ResolvedService): Source | undefined {
  const environment = lab.document.environments[resolved.environment]?.promoteFrom;
  if (environment === undefined || resolved.workload.kind === "process") return undefined;
  const place = { environment, service: resolved.service };
  const other = lab.resolved.find(({ key }) => key === keyOfPlace(place));
  if (other === undefined || !sameWorkload(other, resolved)) return undefined;
  const live = liveOf(standingOf(db, place));
  return { environment, artifact: live === undefined ? undefined : findRelease(db, live)?.artifact };
}

/** Writes down what a lab means to releases: what it begins, what it takes the place of, what it ends. */
export function recordLab(deed: Deed, lab: LabWish): void {
  const rows = new Map(selectWanted(deed.tx).map((row) => [keyOfPlace(row), row]));
  for (const resolved of lab.resolved) recordService(deed, lab, resolved, rows.get(resolved.key));
  const keys = new Set(lab.resolved.map(({ key }) => key));
  for (const row of rows.values()) if (!keys.has(keyOfPlace(row))) recordGone(deed, row);
}

function recordService(deed: Deed, lab: LabWish, resolved: ResolvedService, row: WantedRow | undefined): void {
  if (row !== undefined && row.labReplicas !== resolved.replicas) {
    saveWanted(deed.tx, { ...row, replicas: undefined, labReplicas: resolved.replicas });
  }
  if (row?.wish === resolved.wish) return;
  const request = requestForLab(deed.tx, lab, resolved);
  if (request !== undefined) beginForLab(deed, resolved, request);
}

/** What this lab would begin for a service, as things are. */
export function requestForLab(
  db: Reader,
  lab: LabWish,
  resolved: ResolvedService,
  standing = standingOf(db, resolved),
): RolloutRequest | undefined {
  return rolloutForLab(resolved, standing, sourceOf(db, lab, resolved));
}

function beginForLab(deed: Deed, resolved: ResolvedService, request: RolloutRequest): void {
  const open = findOpen(deed.tx, resolved);
  if (open) cancelRollout(deed, open, "the lab has changed");
  const { environment, service } = resolved;
  saveWanted(deed.tx, { ...rowOf(deed, resolved), labReplicas: resolved.replicas });
  beginRollout(deed, { place: { environment, service }, cause: "apply", request });
}

function recordGone(deed: Deed, row: WantedRow): void {
  const open = findOpen(deed.tx, row);
  if (open) cancelRollout(deed, open, "it is no longer in the lab");
  if (row.release === undefined && row.wish === "") return;
  const fresh = { release: undefined, wish: "", stopped: false, replicas: undefined, labReplicas: undefined };
  saveWanted(deed.tx, { ...row, ...fresh });
}

/** Begins what the lab says of these services, once more where it came to nothing. */
export function renewServices(deed: Deed, lab: LabWish, services: readonly ResolvedService[]): void {
  for (const resolved of services) {
    const request = requestForLab(deed.tx, lab, resolved) ?? requestToRetry(deed.tx, lab, resolved);
    if (request !== undefined) beginForLab(deed, resolved, request);
  }
}

/** Tries again what the lab says and what could not be made so. */
export function retryLab(deed: Deed, lab: LabWish): void {
  for (const resolved of lab.resolved) {
    const request = requestToRetry(deed.tx, lab, resolved);
    if (request !== undefined) beginForLab(deed, resolved, request);
  }
}

/** What another try begins, where the last one came to nothing; not where somebody went back to an earlier release. */
export function requestToRetry(db: Reader, lab: LabWish, resolved: ResolvedService): RolloutRequest | undefined {
  const standing = standingOf(db, resolved);
  const { row, wanted, open } = standing;
  if (open || row === undefined || row.wish !== resolved.wish || wanted?.wish === row.wish) return undefined;
  const last = findDecisive(db, resolved);
  if (last === undefined || last.state === "done" || last.request.wish !== row.wish) return undefined;
  return rolloutForLab(resolved, asIfNew(standing), sourceOf(db, lab, resolved));
}

function asIfNew(standing: Standing): Standing {
  return { ...standing, row: standing.row && { ...standing.row, wish: "" } };
}

/** What is known of each service of the lab. `releaseOf` may remember. */
export function factsOf(db: Reader, lab: LabWish, releaseOf: (id: string) => Release | undefined): readonly Facts[] {
  const rows = new Map(selectWanted(db).map((row) => [keyOfPlace(row), row]));
  const opens = new Map(selectOpen(db).map((open) => [keyOfPlace(open), open]));
  return lab.resolved.map((resolved): Facts => {
    const row = rows.get(resolved.key);
    const release = row?.release === undefined ? undefined : releaseOf(row.release);
    const open = opens.get(resolved.key);
    const last = release ? undefined : (open ?? selectRollouts(db, resolved, 1)[0]);
    const earlier = open?.state === "rolling" ? open.request.before : undefined;
    return { resolved, row, release, last, before: earlier === undefined ? undefined : releaseOf(earlier) };
  });
}
