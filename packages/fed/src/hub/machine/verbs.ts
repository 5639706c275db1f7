import { type LabDocument, nearest } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { makeNotice } from "#base/notice.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { WireMachine, WireMachineDetail } from "#wire/machine.ts";
import { addressOf, type Newcomer, requireAddable, requireRemovable } from "./enrol.ts";
import {
  factsAfter,
  isGone,
  type Judged,
  type Known,
  knownOf,
  lookedAt,
  type Maintenance,
  type Observed,
  releasedFrom,
  reviewed,
  type Seen,
  show,
} from "./machine.ts";
import { type Added, type Fleet, fleetOf, takenOver } from "./member.ts";
import type { Telling } from "./problem.ts";
import { isWorthSaving, rowOf, writeRow } from "./row.ts";
import { deleteAdded, deleteMachine, saveAdded, selectAdded, selectMachines } from "./store.ts";
import { detailOf, isSameTally, tallyOf, toldAfter } from "./told.ts";

export interface MachinesNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Services that are placed on a machine, as `environment/service`. */
  servicesOn(machine: string): readonly string[];
  /** The other host key that a machine shows; none when left out. */
  hostKeyOf?(machine: string): WireMachine["hostKey"];
  /** Something people see has changed. */
  onChange(): void;
}

/** What is to become of the fleet, in two: its rows and events, for the transaction of a deed, and what follows once that is committed. */
export interface Change {
  record(tx: Tx, emit: Emit): void;
  take(): void;
}

/** The machines of the fleet: those of the lab and those that were added. What was seen of them outlives the hub. */
export interface Machines {
  /** The lab's machines are these from now on. */
  update(document: Pick<LabDocument, "machines">, origin: Origin): void;
  prepare(document: Pick<LabDocument, "machines">): Change;
  list(): readonly WireMachine[];
  /** Fault `missing` for a name the fleet does not have. */
  get(name: string): WireMachine;
  /** With all that it told last; command lines of processes only for who may operate machines. */
  detail(name: string, mayOperate: boolean): WireMachineDetail;
  names(): readonly string[];
  readonly fleet: Fleet;
  /** Hears when who is in the fleet, or how it is reached, may have changed. */
  onFleet(listener: () => void): () => void;
  /**
   * Records what was seen of a machine: one event at most, for a change of state. Nothing for a name the fleet does not have. While
   * the disk is full what was seen is shown all the same, and told once there is room.
   */
  saw(name: string, seen: Seen): void;
  /** A question could not be asked, or its answer will not come: no miss yet, and all the same what people want to read. */
  triedInVain(name: string, reason: string): void;
  /** Somebody else has something to say of whether what is about a machine works: `exporter node`, say. */
  report(name: string, telling: Telling): void;
  /** It has missed so many intervals that its series end. */
  isGone(name: string): boolean;
  add(newcomer: Newcomer, origin: Origin): WireMachine;
  /** Takes one into the fleet that reports by itself; one of the lab does so from now on. */
  prepareJoin(name: string, newcomer: Omit<Newcomer, "name">, origin: Origin): Change;
  /** Faults: `missing`; `conflict` for one of the lab, unless it reports by itself: then it is only the lab's again. */
  prepareRemoval(name: string): Change;
  maintain(name: string, wish: MaintenanceWish, origin: Origin): WireMachine;
  /** Ends what has lasted as long as it was to. */
  endMaintenance(): void;
}

export interface MaintenanceWish {
  readonly on: boolean;
  readonly reason: string;
  readonly untilMs?: number | undefined;
}

export function openMachines(needs: MachinesNeeds): Machines {
  const { db, events, clock } = needs;
  /** What the database holds, and so what the events have told. */
  const stored = new Map(selectMachines(db).map((row) => [row.name, row]));
  const machines = new Map<string, Known>();
  const moved = makeNotice();
  let lab: LabDocument["machines"] = {};
  let added = selectAdded(db);
  let fleet: Fleet = new Map();

  function require(name: string): Known {
    const known = machines.get(name);
    if (known) return known;
    const meant = nearest(name, [...machines.keys()]);
    throw new Fault("missing", `the fleet has no machine ${name}`, {
      hint: meant === undefined ? `It has: ${[...machines.keys()].join(", ") || "none"}.` : `Did you mean ${meant}?`,
    });
  }

  const view = (name: string): WireMachine =>
    show(name, require(name), { services: needs.servicesOn(name), hostKey: needs.hostKeyOf?.(name) });

  /** What is known of it is this from now on; a row and an event when that is worth it. */
  function know(name: string, before: Known, after: Known) {
    machines.set(name, after);
    const row = rowOf(name, after);
    if (isWorthSaving(stored.get(name), row)) {
      whenThereIsRoom(() => {
        events.deed(hubOrigin(clock), (tx, emit) => writeRow(tx, emit, stored.get(name), row, after.observed.detail));
        stored.set(name, row);
      });
    }
    if (!looksSame(before, after)) needs.onChange();
  }

  /** The fleet with these in it; rows of who is gone go, and each of who is there is written where it moved. */
  function prepareFleet(nextLab: LabDocument["machines"], nextAdded: ReadonlyMap<string, Added>) {
    const nowMs = clock.nowMs();
    const nextFleet = fleetOf(nextLab, nextAdded);
    const next = [...nextFleet].map(
      ([name, member]) => [name, knownOf(member, machines.get(name), stored.get(name), nowMs)] as const,
    );
    const gone = [...stored.keys()].filter((name) => !nextFleet.has(name));
    return {
      record(tx: Tx, emit: Emit) {
        for (const name of gone) {
          deleteMachine(tx, name);
          emit(`machine:${name}`, { type: "machine.removed" });
        }
        for (const [name, known] of next) {
          writeRow(tx, emit, stored.get(name), rowOf(name, known), known.observed.detail);
        }
      },
      take() {
        machines.clear();
        stored.clear();
        for (const [name, known] of next) {
          machines.set(name, known);
          stored.set(name, rowOf(name, known));
        }
        [lab, added, fleet] = [nextLab, nextAdded, nextFleet];
        moved.send();
        needs.onChange();
      },
    };
  }

  function prepare(document: Pick<LabDocument, "machines">): Change {
    const over = takenOver(document.machines, added);
    const next = prepareFleet(document.machines, new Map([...added].filter(([name]) => !over.includes(name))));
    return {
      record(tx, emit) {
        for (const name of over) deleteAdded(tx, name);
        next.record(tx, emit);
      },
      take: next.take,
    };
  }

  function prepareEnrolment(name: string, one: Added, origin: Origin): Change {
    const next = prepareFleet(lab, new Map([...added, [name, one]]));
    return {
      record(tx, emit) {
        saveAdded(tx, name, one, { atMs: clock.nowMs(), actor: origin.actor });
        next.record(tx, emit);
        emit(`machine:${name}`, { type: "machine.enrolled", mode: one.mode, address: addressOf(one.document) });
      },
      take: next.take,
    };
  }

  function setMaintenance(name: string, maintenance: Maintenance | undefined, origin: Origin, reason: string) {
    const before = require(name);
    if (before.maintenance === undefined && maintenance === undefined) return;
    const observed = maintenance ? before.observed : releasedFrom(before.observed);
    const after: Known = { ...before, observed, maintenance };
    const row = { ...(stored.get(name) ?? rowOf(name, before)), maintenance };
    events.deed(origin, (tx, emit) => {
      // What is not told yet of its state stays so: this deed is about something else.
      writeRow(tx, emit, stored.get(name), row, after.observed.detail);
      emit(`machine:${name}`, maintenance ? began(maintenance) : { type: "machine.maintenanceEnded", reason });
    });
    stored.set(name, row);
    machines.set(name, after);
    needs.onChange();
  }

  const doNow = (origin: Origin, { record, take }: Change) => {
    events.deed(origin, record);
    take();
  };

  return {
    prepare,
    update: (document, origin) => doNow(origin, prepare(document)),
    list: () => [...machines.keys()].map(view),
    names: () => [...machines.keys()],
    get: view,
    detail: (name, mayOperate) => ({ ...view(name), ...detailOf(require(name).told, mayOperate) }),
    get fleet() {
      return fleet;
    },
    onFleet: (listener) => moved.listen(listener),
    saw(name, seen) {
      const before = machines.get(name);
      if (!before) return;
      const observed = lookedAt(before.observed, judgedOf(before), seen, clock.nowMs());
      const facts = factsAfter(before.facts, seen.reading?.facts);
      const told = seen.reading ? toldAfter(before.told, seen.reading) : before.told;
      know(name, before, { ...before, observed, facts, told });
    },
    triedInVain(name, reason) {
      const before = machines.get(name);
      if (!before || before.observed.detail === reason) return;
      know(name, before, { ...before, observed: { ...before.observed, detail: reason } });
    },
    report(name, telling) {
      const before = machines.get(name);
      if (!before) return;
      const observed = reviewed(before.observed, judgedOf(before), telling, clock.nowMs());
      if (observed !== before.observed) know(name, before, { ...before, observed });
    },
    isGone: (name) => isGone(require(name).observed),
    add(newcomer, origin) {
      requireAddable(newcomer.name, fleet);
      const { name, ...document } = newcomer;
      doNow(origin, prepareEnrolment(name, { mode: "ssh", document }, origin));
      return view(name);
    },
    prepareJoin: (name, document, origin) => prepareEnrolment(name, { mode: "push", document }, origin),
    prepareRemoval(name) {
      require(name);
      requireRemovable(name, fleet);
      const next = prepareFleet(lab, new Map([...added].filter(([one]) => one !== name)));
      return {
        record(tx, emit) {
          deleteAdded(tx, name);
          next.record(tx, emit);
        },
        take: next.take,
      };
    },
    maintain(name, { on, reason, untilMs }, origin) {
      const nowMs = clock.nowMs();
      if (on && untilMs !== undefined && untilMs <= nowMs) {
        throw new Fault("invalid", "the maintenance would have ended already", {
          hint: "Choose an end that is to come.",
        });
      }
      const end = untilMs === undefined ? {} : { untilMs };
      setMaintenance(name, on ? { sinceMs: nowMs, reason, ...end } : undefined, origin, reason);
      return view(name);
    },
    endMaintenance() {
      for (const [name, { maintenance }] of machines) {
        if ((maintenance?.untilMs ?? Infinity) > clock.nowMs()) continue;
        whenThereIsRoom(() => setMaintenance(name, undefined, hubOrigin(clock), "its time was over"));
      }
    },
  };
}

function began({ reason, untilMs }: Maintenance) {
  return { type: "machine.maintenanceBegan", reason, ...(untilMs === undefined ? {} : { untilMs }) } as const;
}

function judgedOf({ member, maintenance }: Known): Judged {
  return { kind: member.document.kind, maintained: maintenance !== undefined };
}

/** What is seen cannot be refused: what finds no room is written at a later look, which finds it still unwritten. */
function whenThereIsRoom(write: () => void): void {
  try {
    write();
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code === "internal") throw thrown;
  }
}

/** Nobody who looks at a list of machines would see a difference but in times. */
function looksSame(before: Known, after: Known): boolean {
  const same = (key: keyof Observed) => before.observed[key] === after.observed[key];
  if (!same("state") || !same("problems") || before.facts !== after.facts) return false;
  // Of one that is gone the words change with every try: who looks sees the newest, and nobody is woken for it.
  if (!same("detail") && !isGone(after.observed)) return false;
  return before.told === after.told || isSameTally(tallyOf(before.told), tallyOf(after.told));
}
