import type { Reader } from "#disk/sqlite.ts";
import type { ServiceStatus } from "#wire/status.ts";
import type { Facts } from "./compose.ts";
import { keyOfPlace } from "./lab.ts";
import type { Rollout } from "./release.ts";
import { findDecisive, selectOpen } from "./store.ts";

/** What a status says of a service's releases. */
export type Brief = Pick<ServiceStatus, "rollout" | "differs" | "version">;

/** Of each service of the lab, by key; those of which there is nothing to say are left out. */
export function briefsOf(db: Reader, facts: readonly Facts[]): ReadonlyMap<string, Brief> {
  const opens = new Map(selectOpen(db).map((open) => [keyOfPlace(open), open]));
  const briefs = new Map<string, Brief>();
  for (const one of facts) {
    const { key } = one.resolved;
    const open = opens.get(key);
    const last = open === undefined && isBehind(one) ? findDecisive(db, one.resolved) : undefined;
    const brief = briefOf(one, open, last);
    if (Object.keys(brief).length > 0) briefs.set(key, brief);
  }
  return briefs;
}

/** What is wanted is another release than the one the lab has asked for last. */
function isBehind({ resolved, row, release }: Facts): boolean {
  return release !== undefined && row?.wish === resolved.wish && release.wish !== row.wish;
}

function briefOf({ release }: Facts, open: Rollout | undefined, last: Rollout | undefined): Brief {
  const version = release?.artifact.kind === "image" ? versionOf(release.artifact) : undefined;
  const differs = last && differsBecause(last);
  return {
    ...(open ? { rollout: { id: open.id, cause: open.cause, state: open.state } } : {}),
    ...(differs === undefined ? {} : { differs }),
    ...(version === undefined ? {} : { version }),
  };
}

/** Enough of a commit, or else of an image, to tell it from others. */
function versionOf({ id, commit }: { readonly id: string; readonly commit?: string | undefined }): string {
  if (commit === undefined) return id.replace(/^sha256:/, "").slice(0, 12);
  return commit.endsWith("-dirty") ? `${commit.slice(0, 8)}-dirty` : commit.slice(0, 8);
}

/** Why something else runs than what the lab says. */
function differsBecause({ cause, state, reason, request }: Rollout): string {
  const what = request.number === undefined ? "the next release" : `release ${request.number}`;
  if (state === "failed") return `${what} failed: ${reason}`;
  if (state === "cancelled") return `${what} was cancelled`;
  return cause === "rollback" ? `somebody went back to ${what}` : `${what} is made of an earlier word of the lab`;
}
