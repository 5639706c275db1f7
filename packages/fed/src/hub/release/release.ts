import { hashText } from "@fed/lab";
import type { ResolvedService } from "#hub/service/service.ts";
import type { RolloutCause, RolloutState, WireArtifact } from "#wire/release.ts";

/** What a release is made of. */
export type Artifact =
  | { readonly kind: "process" }
  | (Readonly<Extract<WireArtifact, { kind: "image" }>> & {
      /** The machine that built or pulled it, when it is another one: a copy is there as well. */
      readonly builtOn?: string | undefined;
    });

export type ImageArtifact = Extract<Artifact, { kind: "image" }>;

/** One release: never changed once it is made. */
export interface Release {
  readonly id: string;
  readonly environment: string;
  readonly service: string;
  readonly number: number;
  readonly spec: string;
  readonly wish: string;
  /** Its `fields` and `spec` are those of the release, with the artifact; its `workload` is what the lab says. */
  readonly resolved: ResolvedService;
  readonly artifact: Artifact;
  readonly madeMs: number;
  readonly madeBy: string;
}

/** What a rollout is to do; enough for another hub to take it up. */
export interface RolloutRequest {
  /** What the service is to become, as the lab has it or an earlier release had it. */
  readonly resolved: ResolvedService;
  /** The lab's wish when it was asked for. */
  readonly wish: string;
  /** An existing release that is to serve again. */
  readonly release?: string | undefined;
  /** Known already, and only to be brought to the machine; undefined: to be made (built, pulled). */
  readonly artifact?: Artifact | undefined;
  /** New instances, also when nothing else is new. */
  readonly again?: boolean | undefined;
  /** Id of the last good release: gone back to when this fails. */
  readonly before?: string | undefined;
  readonly promotedFrom?: string | undefined;
  /** Of its release, once that is made: it is told also when the release was pruned. */
  readonly number?: number | undefined;
}

export interface Rollout {
  readonly id: string;
  readonly environment: string;
  readonly service: string;
  readonly cause: RolloutCause;
  readonly release: string | undefined;
  readonly state: RolloutState;
  readonly request: RolloutRequest;
  readonly reason: string;
  readonly output: string;
  readonly beganMs: number;
  readonly endedMs: number | undefined;
  readonly by: string;
  readonly correlation: string;
}

/** What is wanted of one service: the pointer, and what somebody has said besides the lab. */
export interface WantedRow {
  readonly environment: string;
  readonly service: string;
  readonly release: string | undefined;
  readonly wish: string;
  readonly stopped: boolean;
  readonly replicas: number | undefined;
  readonly labReplicas: number | undefined;
}

/** Everything that is known of one service when something is decided about it. */
export interface Standing {
  readonly row: WantedRow | undefined;
  /** The release that `row` points at. */
  readonly wanted: Release | undefined;
  readonly open: Rollout | undefined;
  /** Ids of releases that have served. */
  readonly good: ReadonlySet<string>;
}

export function isOpen(rollout: Pick<Rollout, "state">): boolean {
  return rollout.state === "preparing" || rollout.state === "rolling";
}

/** The release that can be relied upon now: it has served, and nothing is about to replace it. */
export function liveOf({ row, open, good }: Standing): string | undefined {
  if (open) return open.request.before;
  return row?.release !== undefined && good.has(row.release) ? row.release : undefined;
}

/** The artifact an environment takes from another, when it promotes. */
export interface Source {
  readonly environment: string;
  /** Undefined: it has none that has served. */
  readonly artifact: Artifact | undefined;
}

/** A lab says this of a service: the rollout that it begins; undefined when there is nothing to do. */
export function rolloutForLab(
  resolved: ResolvedService,
  standing: Standing,
  source: Source | undefined,
): RolloutRequest | undefined {
  const { row, wanted, open } = standing;
  if (row?.wish === resolved.wish) return undefined;
  if (open?.request.wish === resolved.wish) return undefined;
  // What never ran and cannot is no try.
  if (resolved.unsupported !== undefined && wanted === undefined) return undefined;
  const before = liveOf(standing);
  const base = { resolved, wish: resolved.wish, before };
  if (resolved.workload.kind === "process") return { ...base, artifact: { kind: "process" } };
  const kept = wanted?.artifact.kind === "image" ? wanted : undefined;
  // An image that people promote moves with a promotion only; another one changes when the lab names another one.
  if (kept && (source !== undefined || sameWorkload(kept.resolved, resolved))) {
    return { ...base, artifact: kept.artifact };
  }
  if (source?.artifact?.kind === "image") {
    return { ...base, artifact: source.artifact, promotedFrom: source.environment };
  }
  return base;
}

/** What it lacks that people have to give it, and how; undefined: nothing. */
export function lackingText({ missing = [], environment }: Pick<ResolvedService, "missing" | "environment">) {
  if (missing.length === 0) return undefined;
  const [what, have] = missing.length === 1 ? ["the secret", "has"] : ["the secrets", "have"];
  const commands = missing.map((name) => `\`fed secret set ${name} --env ${environment}\``).join(" and ");
  const gives = missing.length === 1 ? "gives it one, and begins" : "give them one, and begin";
  return `${what} ${missing.join(" and ")} ${have} no value in ${environment}: ${commands} ${gives} this again`;
}

/** Whether they run from the same folder or reference. */
export function sameWorkload(a: Pick<ResolvedService, "workload">, b: Pick<ResolvedService, "workload">): boolean {
  return canonical(a.workload) === canonical(b.workload);
}

/** The fields and the spec of a release, of what the lab says and what it is made of. `again` makes it another one. */
export function specOf(
  resolved: Pick<ResolvedService, "fields">,
  artifact: Pick<ImageArtifact, "kind" | "id"> | { readonly kind: "process" },
  again: string | undefined,
): Pick<ResolvedService, "fields" | "spec"> {
  const { image: _image, restart: _restart, ...said } = resolved.fields;
  const fields: Record<string, string> = { ...said };
  if (artifact.kind === "image") fields.image = artifact.id;
  if (again !== undefined) fields.restart = again;
  return { fields, spec: hashText(JSON.stringify(Object.entries(fields).sort())).slice(0, 16) };
}

/** What a try that went wrong means for its rollout. */
export type Setback =
  /** The earlier release serves again, or goes on. */
  | { readonly kind: "back"; readonly to: string }
  /** There is none to go back to, and no other try comes by itself. */
  | { readonly kind: "givenUp" }
  | { readonly kind: "again" };

export function setbackOf(rollout: Pick<Rollout, "request">, final: boolean): Setback {
  const { before } = rollout.request;
  if (before !== undefined) return { kind: "back", to: before };
  return final ? { kind: "givenUp" } : { kind: "again" };
}

/** Whether a deed by hand may take the place of what is open: a first release that fails again and again. */
export function mayReplace({ state, reason, request }: Rollout): boolean {
  return state === "rolling" && reason !== "" && request.before === undefined;
}

/** Releases are kept so far back, for each service and environment. */
const keptReleases = 5;

/** What can be told apart of a release: all but whether its instances were made anew. */
function contentOf({ resolved, artifact, wish }: Release): string {
  return `${specOf(resolved, artifact, undefined).spec} ${wish}`;
}

export interface Uses {
  /** Ids of releases that have served. */
  readonly good: ReadonlySet<string>;
  /** Wanted, running, or part of a rollout that is open. */
  readonly inUse: ReadonlySet<string>;
  /** Ids of releases that somebody's restart has made. */
  readonly restarts: ReadonlySet<string>;
}

/**
 * The releases that can go. `releases`: of one service. Kept are those in use, the newest good ones, and as many that never were;
 * and the newest of all, so that its number is not given again. The same that a restart has made once more takes nobody's place.
 */
export function prunable(
  releases: readonly Release[],
  { good, inUse, restarts }: Uses,
  kept = keptReleases,
): readonly Release[] {
  const originals = new Set(
    releases.filter(({ id }) => good.has(id) && !restarts.has(id)).map((release) => contentOf(release)),
  );
  const left = { good: kept, other: kept };
  const newestFirst = releases.toSorted((a, b) => b.number - a.number);
  return newestFirst.filter((release) => {
    const { id } = release;
    const list = good.has(id) ? "good" : "other";
    const repeats = restarts.has(id) && originals.has(contentOf(release));
    const room = !repeats && left[list] > 0;
    if (room) left[list]--;
    return !room && !inUse.has(id) && release !== newestFirst[0];
  });
}

/** The release that a rollback without a number means: the newest good one before the wanted one that says something else. */
export function rollbackTarget(releases: readonly Release[], wanted: Release, good: ReadonlySet<string>) {
  const now = contentOf(wanted);
  return releases
    .filter((one) => one.number < wanted.number && good.has(one.id) && contentOf(one) !== now)
    .reduce<Release | undefined>((found, one) => (found && found.number > one.number ? found : one), undefined);
}

/** The same text for the same content; what is undefined or empty is left out. */
export function canonical(value: unknown): string {
  return JSON.stringify(tidy(value)) ?? "";
}

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, tidy(inner)] as const)
    .filter(([, inner]) => inner !== undefined && !isEmpty(inner));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
