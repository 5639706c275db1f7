import type { Clock } from "#base/clock.ts";
import type { Database, Settled } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { Part } from "#hub/lab/verbs.ts";
import type { ResolvedService } from "#hub/service/service.ts";
import type { ServicePart, Wanted } from "#hub/service/wanted.ts";
import { composeWanted, type Facts } from "./compose.ts";
import type { Deed } from "./deed.ts";
import { factsOf, type LabWish, recordLab, renewServices } from "./lab.ts";
import { isOpen, type Release, type Rollout } from "./release.ts";
import { findRelease, findRollout, selectOpen } from "./store.ts";

export interface LedgerNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly service: Pick<ServicePart, "want">;
  /** What was decided counts now. `changed`: rollouts that began, moved on or ended with it. */
  published(changed: readonly Rollout[]): void;
}

/** Where decisions about releases are written down, and from where they are told. */
export interface Ledger {
  readonly lab: LabWish;
  readonly wanted: Wanted;
  /** What `wanted` was made from. */
  readonly facts: readonly Facts[];
  /** A release by its id; undefined for one that was pruned. */
  releaseOf(id: string): Release | undefined;
  forget(id: string): void;
  factsOf(lab: LabWish): readonly Facts[];
  /** One transaction; nothing of what is wanted changes by it. */
  note<T>(origin: Origin, work: (deed: Deed) => Settled<T>): T;
  /** One transaction, of which services and who looks on hear then. */
  decide<T>(origin: Origin, work: (deed: Deed) => Settled<T>): T;
  /** The same for what has become of a rollout, if that is open still. */
  settle(rollout: Rollout, actor: string, work: (deed: Deed, open: Rollout) => void): void;
  /** The same lab means this to these services from now on; begins nothing. */
  know(services: readonly ResolvedService[]): void;
  /** As `know`, and begins what that means. */
  renew(services: readonly ResolvedService[], origin: Origin): void;
  prepare(lab: LabWish, origin: Origin): Part;
}

const noLab: LabWish = { hash: "", document: { environments: {}, machines: {} }, resolved: [] };

export function openLedger(needs: LedgerNeeds): Ledger {
  const { db, events, clock } = needs;
  const remembered = new Map<string, Release>();
  let lab = noLab;
  let wanted: Wanted = { hash: "", services: [] };
  let facts: readonly Facts[] = [];

  const releaseOf = (id: string) => {
    const known = remembered.get(id) ?? findRelease(db, id);
    if (known) remembered.set(id, known);
    return known;
  };

  function publish(correlation: string, before: readonly Rollout[], ended: readonly Rollout[]): void {
    facts = factsOf(db, lab, releaseOf);
    wanted = composeWanted(lab.hash, facts);
    needs.service.want(wanted, correlation);
    needs.published([...ended, ...movedSince(db, before)]);
  }

  function note<T>(origin: Origin, work: (deed: Deed) => Settled<T>, onEnd: Deed["onEnd"] = () => undefined): T {
    return events.deed<T>(origin, (tx, emit) => work({ tx, emit, nowMs: clock.nowMs(), origin, onEnd }));
  }

  function decide<T>(origin: Origin, work: (deed: Deed) => Settled<T>): T {
    const before = selectOpen(db);
    const ended: Rollout[] = [];
    const result = note(origin, work, (rollout) => void ended.push(rollout));
    publish(origin.correlation, before, ended);
    return result;
  }

  function know(services: readonly ResolvedService[]): void {
    const fresh = new Map(services.map((one) => [one.key, one]));
    lab = { ...lab, resolved: lab.resolved.map((one) => fresh.get(one.key) ?? one) };
  }

  return {
    ...{ releaseOf, decide },
    note: (origin, work) => note(origin, work),
    get lab() {
      return lab;
    },
    get wanted() {
      return wanted;
    },
    get facts() {
      return facts;
    },
    forget: (id) => void remembered.delete(id),
    factsOf: (of) => factsOf(db, of, releaseOf),
    settle({ id, correlation }, actor, work) {
      if (!isOpenNow(db, id)) return;
      decide({ actor, correlation }, (deed) => {
        const open = findRollout(deed.tx, id);
        if (open && isOpen(open)) work(deed, open);
      });
    },
    know,
    renew(services, origin) {
      know(services);
      decide(origin, (deed) => renewServices(deed, lab, services));
    },
    prepare(next, origin) {
      let before: readonly Rollout[] = [];
      const ended: Rollout[] = [];
      return {
        record(tx, emit) {
          before = selectOpen(tx);
          const onEnd = (rollout: Rollout) => void ended.push(rollout);
          recordLab({ tx, emit, nowMs: clock.nowMs(), origin, onEnd }, next);
        },
        take() {
          lab = next;
          publish(origin.correlation, before, ended);
        },
      };
    },
  };
}

function isOpenNow(db: Database, id: string): boolean {
  const found = findRollout(db, id);
  return found !== undefined && isOpen(found);
}

/** Rollouts that are open and have moved on or begun since these were open. */
function movedSince(db: Database, before: readonly Rollout[]): readonly Rollout[] {
  const known = new Map(before.map((rollout) => [rollout.id, rollout]));
  return selectOpen(db).filter(({ id, state, reason }) => {
    const was = known.get(id);
    return was?.state !== state || was.reason !== reason;
  });
}
