import { cryptoRandom, makeId } from "#base/id.ts";
import type { Tx } from "#disk/sqlite.ts";
import type { Emit, Origin } from "#hub/event/verbs.ts";
import type { RolloutCause } from "#wire/release.ts";
import {
  type Artifact,
  isOpen,
  lackingText,
  type Release,
  type Rollout,
  type RolloutRequest,
  type Standing,
  setbackOf,
  specOf,
  type WantedRow,
} from "./release.ts";
import {
  findOpen,
  findRelease,
  findWanted,
  insertRelease,
  insertRollout,
  lastNumber,
  type Place,
  saveWanted,
  selectGood,
  selectReleases,
  trimRollouts,
  updateRollout,
} from "./store.ts";

/** One transaction in which something is decided about releases. */
export interface Deed {
  readonly tx: Tx;
  readonly emit: Emit;
  readonly nowMs: number;
  readonly origin: Origin;
  /** Hears of each rollout that ends by it, also of one that it began. */
  onEnd(rollout: Rollout): void;
}

/** Rollouts are told of so far back, for each service and environment. */
const keptRollouts = 20;
const reasonLetters = 2_000;
const outputLetters = 16_384;

const subjectOf = ({ environment, service }: Place) => `service:${environment}/${service}`;
const idAt = (prefix: string, nowMs: number) => makeId(prefix, { nowMs: () => nowMs, random: cryptoRandom });

export function standingOf(tx: Pick<Tx, "prepare">, place: Place, row = findWanted(tx, place)): Standing {
  const wanted = row?.release === undefined ? undefined : findRelease(tx, row.release);
  return { row, wanted, open: findOpen(tx, place), good: selectGood(tx, place) };
}

/** Begins a rollout; none is open. What needs no preparing is rolling at once. */
export function beginRollout(
  deed: Deed,
  { place, cause, request }: { readonly place: Place; readonly cause: RolloutCause; readonly request: RolloutRequest },
): Rollout {
  const { tx, emit, nowMs, origin } = deed;
  const { environment, service } = place;
  const row = rowOf(deed, place);
  const rollout: Rollout = {
    ...{ id: idAt("rol", nowMs), environment, service, cause, release: request.release },
    ...{ state: "preparing", request, reason: "", output: "", beganMs: nowMs, endedMs: undefined },
    ...{ by: origin.actor, correlation: origin.correlation },
  };
  insertRollout(tx, rollout);
  saveWanted(tx, { ...row, wish: request.wish });
  emit(subjectOf(place), {
    type: "rollout.began",
    rollout: rollout.id,
    cause,
    ...optional("from", request.promotedFrom),
    ...optional("number", numberOf(tx, request.release)),
  });
  const { artifact, resolved } = request;
  if (resolved.unsupported !== undefined) {
    const reason = `it does not run here: ${resolved.unsupported}`;
    return failRollout(deed, rollout, { reason, output: "", final: true }) ?? rollout;
  }
  const lacking = request.release === undefined ? lackingText(resolved) : undefined;
  if (lacking !== undefined) return failRollout(deed, rollout, { reason: lacking, output: "", final: true }) ?? rollout;
  const ready = artifact?.kind === "process" || (cause === "restart" && artifact !== undefined);
  return ready ? roll(deed, rollout, artifact) : rollout;
}

/** What it is made of is there: makes the release, unless there is one already, and points at it. */
export function roll(deed: Deed, rollout: Rollout, artifact: Artifact): Rollout {
  const { tx } = deed;
  const { request } = rollout;
  const row = rowOf(deed, rollout);
  const found = request.release === undefined ? undefined : findRelease(tx, request.release);
  const chosen = found ?? chooseRelease(deed, rollout, artifact, row);
  if (chosen === "same") {
    const release = row.release === undefined ? undefined : findRelease(tx, row.release);
    const reason = `release ${release?.number ?? "?"} is the same and serves already`;
    const named = { ...request, ...optional("number", release?.number) };
    return endRollout(deed, { ...rollout, release: row.release, request: named, state: "done", reason });
  }
  saveWanted(tx, { ...row, release: chosen.id });
  // What was given up may have come to serve after all while this was made ready.
  const provenSince =
    row.release !== chosen.id && selectGood(tx, rollout).has(row.release ?? "") ? row.release : undefined;
  const named = { ...request, number: chosen.number, before: request.before ?? provenSince };
  const next: Rollout = { ...rollout, release: chosen.id, request: named, state: "rolling" };
  updateRollout(tx, next);
  return next;
}

function chooseRelease(deed: Deed, rollout: Rollout, artifact: Artifact, row: WantedRow): Release | "same" {
  const { tx, emit, nowMs, origin } = deed;
  const { resolved, again = false } = rollout.request;
  const number = lastNumber(tx, rollout) + 1;
  const wanted = row.release === undefined ? undefined : findRelease(tx, row.release);
  const plain = specOf(resolved, artifact, undefined);
  const isAlike = (one: Release | undefined) =>
    one !== undefined && specOf(one.resolved, one.artifact, undefined).spec === plain.spec;
  const good = selectGood(tx, rollout);
  const goodNow = wanted !== undefined && isAlike(wanted) && good.has(wanted.id) ? wanted : undefined;
  if (goodNow && !again && goodNow.wish === resolved.wish) return "same";
  // A change that instances do not see leaves them alone, also those of a restart; what has failed is tried with new ones.
  const failed = selectReleases(tx, rollout).some((one) => isAlike(one) && !good.has(one.id));
  const turn = again || (failed && !goodNow) ? String(number) : goodNow?.resolved.fields.restart;
  const made = specOf(resolved, artifact, turn);
  const release: Release = {
    ...{ id: idAt("rel", nowMs), environment: rollout.environment, service: rollout.service, number },
    ...{ spec: made.spec, wish: resolved.wish, resolved: { ...resolved, ...made }, artifact },
    ...{ madeMs: nowMs, madeBy: origin.actor },
  };
  insertRelease(tx, release);
  emit(subjectOf(rollout), {
    type: "release.made",
    release: release.id,
    number,
    spec: release.spec,
    ...optional("image", artifact.kind === "image" ? artifact.id : undefined),
    ...optional("commit", artifact.kind === "image" ? artifact.commit : undefined),
  });
  return release;
}

/** A release that serves is rolled out. `reason`: why nothing of it is to run now, so that it has not proven itself. */
export function finishRollout(deed: Deed, rollout: Rollout, reason: string): Rollout {
  return endRollout(deed, { ...rollout, state: "done", reason, output: "" });
}

/** A try went wrong: back to the release before, if there is one. Undefined: another try comes by itself. */
export function failRollout(
  deed: Deed,
  rollout: Rollout,
  failure: { readonly reason: string; readonly output: string; readonly final: boolean },
): Rollout | undefined {
  const reason = failure.reason.slice(0, reasonLetters);
  const output = failure.output.slice(-outputLetters);
  const setback = rollout.state === "preparing" ? ({ kind: "givenUp" } as const) : setbackOf(rollout, failure.final);
  if (setback.kind === "again") {
    updateRollout(deed.tx, { ...rollout, reason, output });
    return undefined;
  }
  if (setback.kind === "back") goBack(deed, rollout, setback.to);
  return endRollout(deed, { ...rollout, state: "failed", reason, output });
}

/** Ends what is open; what served before goes on. */
export function cancelRollout(deed: Deed, rollout: Rollout, reason: string): Rollout {
  if (rollout.state === "rolling") goBack(deed, rollout, rollout.request.before);
  return endRollout(deed, { ...rollout, state: "cancelled", reason });
}

function goBack(deed: Deed, rollout: Rollout, to: string | undefined): void {
  saveWanted(deed.tx, { ...rowOf(deed, rollout), release: to });
}

function endRollout(deed: Deed, ended: Rollout): Rollout {
  const { tx, emit, nowMs } = deed;
  const rollout = { ...ended, endedMs: nowMs };
  updateRollout(tx, rollout);
  deed.onEnd(rollout);
  trimRollouts(tx, rollout, keptRollouts);
  const { id, reason, state } = rollout;
  const number = optional("number", rollout.request.number);
  const backTo = optional("backTo", numberOf(tx, rollout.request.before));
  const subject = subjectOf(rollout);
  if (state === "done") {
    emit(subject, { type: "rollout.done", rollout: id, ...number, tookMs: nowMs - rollout.beganMs, reason });
  } else if (state === "failed") emit(subject, { type: "rollout.failed", rollout: id, ...number, ...backTo, reason });
  else if (!isOpen(rollout)) emit(subject, { type: "rollout.cancelled", rollout: id, ...number, ...backTo, reason });
  return rollout;
}

export function rowOf({ tx }: Pick<Deed, "tx">, { environment, service }: Place): WantedRow {
  const fresh = { release: undefined, wish: "", stopped: false, replicas: undefined, labReplicas: undefined };
  return findWanted(tx, { environment, service }) ?? { environment, service, ...fresh };
}

function numberOf(tx: Tx, release: string | undefined): number | undefined {
  return release === undefined ? undefined : findRelease(tx, release)?.number;
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
