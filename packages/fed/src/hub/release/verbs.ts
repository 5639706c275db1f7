import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Database } from "#disk/sqlite.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { Part } from "#hub/lab/verbs.ts";
import type { Values } from "#hub/secret/verbs.ts";
import type { ResolvedService } from "#hub/service/service.ts";
import type { ByHand, ServiceNews, ServicePart, Wanted } from "#hub/service/wanted.ts";
import type { Progress } from "#wire/progress.ts";
import { askCancel, askDeploy, askPromote, askRestart, askRollback, type Gate, type Promotion } from "./ask.ts";
import { type Brief, briefsOf } from "./brief.ts";
import { composeWanted, type Facts, imagined, notesOf } from "./compose.ts";
import { failRollout, roll } from "./deed.ts";
import { makeHands } from "./hand.ts";
import { keyOfPlace, type LabWish, placeOfKey, requestForLab, requestToRetry, retryLab } from "./lab.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { openPrepareLoop, type PrepareLoop } from "./loop.ts";
import { makeOverdue } from "./overdue.ts";
import { type PrepareNeeds, prepareArtifact } from "./prepare.ts";
import { makeRegistries } from "./registry.ts";
import { isOpen, lackingText, type Release, type Rollout } from "./release.ts";
import { makeReports } from "./report.ts";
import {
  findNumbered,
  findOpen,
  findRollout,
  insertBrought,
  insertBuilder,
  isAny,
  lastNumber,
  type Place,
  selectByImage,
  selectGood,
  selectNewestRollouts,
  selectOpen,
  selectReleases,
  selectRollouts,
} from "./store.ts";
import { makeSweep } from "./sweep.ts";
import { makeTracks, type Tracks } from "./track.ts";

export interface ReleaseNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly service: ServicePart;
  readonly secrets: Pick<Values, "forget" | "read">;
  readonly prepare: Pick<PrepareNeeds, "commitOf" | "carry">;
  /** What the lab says now, with the newest values of its secrets; as it was accepted when left out. */
  resolve?(): readonly ResolvedService[];
  /** Whether a promotion may go on; every one may when left out. */
  gateOf?(promotion: Promotion): Gate;
  /** Takes values of secrets out of what engines and instances say. */
  redact(text: string): string;
  /** For who follows an apply. */
  onProgress(progress: Progress): void;
  /** Something people see may have changed. */
  onChange(): void;
}

/** Which releases there are, which is wanted, and how it becomes the one that serves. */
export interface Releases extends ByHand, ServiceNews {
  /** What this lab means to releases: recorded with the lab itself, and taken up once that is committed. */
  prepare(lab: LabWish, origin: Origin): Part;
  /** What this lab would make wanted; writes nothing. */
  preview(lab: LabWish): Wanted;
  /** What is wanted now. */
  readonly wanted: Wanted;
  /** Where something else is wanted than what the lab says, in words for a plan. */
  notes(): readonly string[];
  /** What a status says of a service's releases. */
  brief(key: string): Brief;
  /**
   * A secret has a value now: begins what waited for it, of `resolved` as the lab is with that value, and nothing else. Answers the keys.
   */
  supply(name: string, resolved: readonly ResolvedService[], origin: Origin): readonly string[];
  /** Tries again what the lab says and what could not be made so. */
  retry(origin: Origin): void;
  /** Takes what the service is made of anew, or from the environment that it promotes from. */
  deploy(place: Place, origin: Origin): Rollout;
  promote(place: Place, from: string | undefined, origin: Origin): Rollout;
  rollback(place: Place, to: number | undefined, origin: Origin): Rollout;
  cancel(place: Place, origin: Origin): Rollout;
  /** Newest first. */
  releases(place: Place): readonly Release[];
  release(place: Place, number: number): Release;
  good(place: Place): ReadonlySet<string>;
  /** By id; undefined for one that was pruned. */
  byId(release: string): Release | undefined;
  /** Of one service, or of all; newest first. */
  rollouts(place: Place | undefined, limit: number): readonly Rollout[];
  rollout(id: string): Rollout;
  open(): readonly Rollout[];
  readonly tracks: Tracks;
  /** Something is being prepared: what is wanted now is not all that is to come. */
  readonly preparing: boolean;
  /** A step of the reconcile loop. */
  progress(progress: Progress): void;
  /** Takes up what was being prepared, and prepares from now on. */
  begin(): void;
  close(): Promise<void>;
}

/** Of a build that failed. */
const shownLines = 40;

export function openReleases(needs: ReleaseNeeds): Releases {
  const { db, clock, trace } = needs;
  const tracks = makeTracks(clock);
  const ledger = openLedger({ ...needs, published });
  const reports = makeReports({ db, ledger, trace, redact: needs.redact });
  const sweep = makeSweep({ ...needs, ledger });
  /** Keys of services whose release came to nothing while their machine could not be asked. */
  const stranded = new Set<string>();
  const loop = openPreparing(needs, ledger, tracks, stranded, sweep.run);
  const asking = { gateOf: needs.gateOf ?? (() => ({ kind: "open" }) as const) };

  let briefs: ReadonlyMap<string, Brief> = new Map();

  function published(changed: readonly Rollout[]): void {
    reports.refresh();
    briefs = briefsOf(db, ledger.facts);
    const ended = changed.filter((rollout) => !isOpen(rollout));
    for (const rollout of ended) {
      loop.drop(rollout.id);
      sweep.mark(rollout);
    }
    for (const rollout of changed) {
      tracks.changed(rollout.id);
      needs.onProgress(progressOf(rollout));
    }
    if (ended.length > 0) loop.wakeSweep();
    loop.wake();
    needs.onChange();
  }

  /** What somebody asks for is made with the values that its secrets have now. */
  function withNewest<T>(place: Place, ask: () => T): T {
    const key = keyOfPlace(place);
    const known = ledger.lab.resolved.filter((one) => one.key === key);
    ledger.know(needs.resolve?.().filter((one) => one.key === key) ?? []);
    try {
      return ask();
    } catch (thrown) {
      ledger.know(known);
      throw thrown;
    }
  }

  return {
    ...{ tracks, prepare: ledger.prepare, serving: reports.serving, failed: reports.failed },
    ...makeHands(ledger),
    ...readingOf(db, ledger),
    preview: (lab) => previewOf(db, ledger, lab),
    notes: () => notesOf(ledger.facts, (key) => briefs.get(key)?.differs),
    brief: (key) => briefs.get(key) ?? {},
    supply(name, resolved, origin) {
      const waits = new Set(ledger.lab.resolved.flatMap(({ key, missing }) => (missing?.includes(name) ? [key] : [])));
      const supplied = resolved.filter(({ key, missing }) => waits.has(key) && !missing?.includes(name));
      if (supplied.length > 0) ledger.renew(supplied, origin);
      return supplied.map(({ key }) => key);
    },
    arrived(machine) {
      const waiting = ledger.facts.filter(({ resolved, release, last }) => {
        const never = release === undefined && last?.state === "failed";
        return resolved.machine === machine && (never || stranded.has(resolved.key)) && !lackingText(resolved);
      });
      for (const { resolved } of waiting) stranded.delete(resolved.key);
      const services = waiting.map(({ resolved }) => resolved);
      if (services.length > 0) ledger.renew(services, hubOrigin(clock));
    },
    retry: (origin) => ledger.decide(origin, (deed) => retryLab(deed, ledger.lab)),
    deploy: (place, origin) =>
      withNewest(place, () => ledger.decide(origin, (deed) => askDeploy(deed, asking, ledger.lab, place))),
    promote: (place, from, origin) =>
      withNewest(place, () =>
        ledger.decide(origin, (deed) => askPromote(deed, asking, ledger.lab, { ...place, from })),
      ),
    rollback: (place, to, origin) => ledger.decide(origin, (deed) => askRollback(deed, ledger.lab, { ...place, to })),
    cancel: (place, origin) => ledger.decide(origin, (deed) => askCancel(deed, place)),
    restart: (key, origin) =>
      void ledger.decide(origin, (deed) => askRestart(deed, asking, ledger.lab, placeOfKey(key))),
    get wanted() {
      return ledger.wanted;
    },
    get preparing() {
      return isAny(db, "preparing");
    },
    progress: (progress) => trackProgress(db, tracks, progress),
    begin() {
      sweep.markAll();
      loop.begin();
    },
    async close() {
      await loop.close();
      tracks.close();
    },
  };
}

/** What the reconcile loop does, and what it holds back, for the rollouts that it is about. */
function trackProgress(db: Database, tracks: Tracks, progress: Progress): void {
  if ("step" in progress) {
    const open = findOpen(db, placeOfKey(progress.step.action.service));
    if (open) tracks.progress(open.id, progress);
    return;
  }
  if (progress.kind !== "planned" && progress.kind !== "settling" && progress.kind !== "settled") return;
  const notes = progress.kind === "settled" ? progress.unfinished : progress.notes;
  for (const open of selectOpen(db)) {
    const begins = `${keyOfPlace(open)} `;
    const note = open.state === "rolling" ? notes.find((one) => one.startsWith(begins)) : undefined;
    tracks.wait(open.id, note?.slice(begins.length) ?? "");
  }
}

/** What makes rollouts ready, and writes down how that went. */
function openPreparing(
  { db, clock, trace, prepare, service, secrets, redact, onProgress }: ReleaseNeeds,
  ledger: Ledger,
  tracks: Tracks,
  stranded: Set<string>,
  sweep: (signal: AbortSignal) => Promise<void>,
): PrepareLoop {
  const making: PrepareNeeds = {
    ...prepare,
    imagesOf: service.imagesOf,
    localMachine: () => localMachineOf(ledger.lab),
    registries: makeRegistries({ registries: () => ledger.lab.document.registries, readSecret: secrets.read }),
    brought: (machine, image, name) => db.tx((tx) => insertBrought(tx, { machine, image, name, atMs: clock.nowMs() })),
    builds: (machine, lab) => db.tx((tx) => insertBuilder(tx, { machine, lab }, clock.nowMs())),
    holdersOf: (image) => selectByImage(db, image).flatMap(holdersOf),
  };
  const overdue = makeOverdue({ db, clock, ledger, unseenOn: service.unseenOn });
  return openPrepareLoop({
    ...{ clock, trace, sweep },
    preparing: () => selectOpen(db).filter(({ state }) => state === "preparing"),
    prepare(rollout, signal) {
      const words = {
        step: <T>(text: string, work: () => Promise<T>) => tracks.step(rollout.id, text, work),
        line(said: string) {
          const text = redact(said);
          tracks.line(rollout.id, text);
          onProgress({ kind: "line", service: keyOfPlace(rollout), text });
        },
      };
      return prepareArtifact(making, rollout, words, signal);
    },
    prepared: (rollout, artifact) => ledger.settle(rollout, rollout.by, (deed, open) => roll(deed, open, artifact)),
    isRolling: () => isAny(db, "rolling"),
    endOverdue: () => overdue.end(),
    failed(rollout, fault) {
      const reason = redact(fault.hint === undefined ? fault.message : `${fault.message}. ${fault.hint}`);
      const output = tracks.of(rollout.id).lines.slice(-shownLines).join("\n");
      const { key, machine } = rollout.request.resolved;
      if (service.unseenOn(machine) === undefined) stranded.delete(key);
      else stranded.add(key);
      ledger.settle(rollout, "hub", (deed, open) => failRollout(deed, open, { reason, output, final: true }));
    },
  });
}

/** What can be asked. */
function readingOf(
  db: Database,
  ledger: Ledger,
): Pick<Releases, "releases" | "release" | "good" | "byId" | "rollouts" | "rollout" | "open"> {
  return {
    releases: (place) => selectReleases(db, place),
    release(place, number) {
      const found = findNumbered(db, place, number);
      if (found) return found;
      const kept = selectReleases(db, place).map((one) => one.number);
      throw new Fault("missing", `${keyOfPlace(place)} has no release ${number}`, {
        hint: kept.length === 0 ? "It has none." : `It has: ${kept.join(", ")}.`,
      });
    },
    good: (place) => selectGood(db, place),
    byId: ledger.releaseOf,
    rollouts: (place, limit) =>
      place === undefined ? selectNewestRollouts(db, limit) : selectRollouts(db, place, limit),
    rollout(id) {
      const found = findRollout(db, id);
      if (found) return found;
      throw new Fault("missing", `there is no rollout ${id}`);
    },
    open: () => selectOpen(db),
  };
}

function previewOf(db: Database, ledger: Ledger, lab: LabWish): Wanted {
  const notes: string[] = [];
  const facts = ledger.factsOf(lab).map((one): Facts => {
    const { resolved, row, release } = one;
    // A try of it ends as soon as it is made, and what serves goes on.
    if (resolved.unsupported !== undefined) return one;
    const same = row?.wish === resolved.wish;
    if (same && release?.wish === row.wish) return one;
    const request = same ? requestToRetry(db, lab, resolved) : requestForLab(db, lab, resolved);
    if (request === undefined) return one;
    const lacking = lackingText(resolved);
    if (lacking !== undefined) {
      if (release) notes.push(`${resolved.key} stays at release ${release.number}: ${lacking}`);
      return { ...one, last: { state: "failed", reason: lacking } };
    }
    return { ...one, release: imagined(resolved, request.artifact, lastNumber(db, resolved) + 1, release) };
  });
  return { ...composeWanted(lab.hash, facts), notes };
}

function progressOf(rollout: Rollout): Progress {
  const { state, cause, reason, output, request } = rollout;
  const number = request.number === undefined ? {} : { number: request.number };
  return { kind: "rollout", service: keyOfPlace(rollout), state, cause, reason, output, ...number };
}

function localMachineOf({ document }: LabWish): string | undefined {
  return Object.entries(document.machines).find(([, { address }]) => address === "local")?.[0];
}

/** Machines that have, or had, the image of a release. */
function holdersOf({ artifact, resolved }: Release): readonly string[] {
  if (artifact.kind === "process") return [];
  return artifact.builtOn === undefined ? [resolved.machine] : [artifact.builtOn, resolved.machine];
}
