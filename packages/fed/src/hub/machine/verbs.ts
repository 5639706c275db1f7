import { type LabDocument, nearest } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { WireMachine } from "#wire/machine.ts";
import {
  factsAfter,
  isSameTarget,
  type Known,
  knownOf,
  lookedAt,
  type Seen,
  show,
  type Target,
  targetOf,
} from "./machine.ts";
import { deleteMachine, type MachineRow, saveMachine, selectMachines } from "./store.ts";

export interface MachinesNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Services that are placed on a machine, as `environment/service`. */
  servicesOn(machine: string): readonly string[];
  /** Something people see has changed. */
  onChange(): void;
}

/** The machines of the lab: what was seen of them outlives the hub. */
export interface Machines {
  /** The lab's machines are these from now on. */
  update(document: Pick<LabDocument, "machines">, origin: Origin): void;
  /** The same in two: its rows and events, for the transaction of the lab, and what follows once that is committed. */
  prepare(document: Pick<LabDocument, "machines">): { record(tx: Tx, emit: Emit): void; take(): void };
  list(): readonly WireMachine[];
  /** Fault `missing` for a name the lab does not have. */
  get(name: string): WireMachine;
  names(): readonly string[];
  /** Where to look for a machine; undefined for a name the lab does not have (any more). */
  targetOf(name: string): Target | undefined;
  /**
   * Records what was seen at a target: one event for each change of state. Nothing when the lab has dropped or moved the
   * machine meanwhile. While the disk is full what was seen is shown all the same, and told once there is room.
   */
  saw(name: string, target: Target, seen: Seen): void;
}

/** How exact "last seen" is over a crash of the hub: a write for each look would be a write too many. */
const saveMs = 60_000;

export function openMachines(needs: MachinesNeeds): Machines {
  const { db, events, clock } = needs;
  /** What the database holds, and so what the events have told. */
  const stored = new Map(selectMachines(db).map((row) => [row.name, row]));
  const machines = new Map<string, Known>();

  function record(name: string, known: Known, { look, facts }: Seen) {
    const before = { ...known };
    known.observed = lookedAt(before.observed, known.document.kind, look, clock.nowMs());
    known.facts = factsAfter(before.facts, facts);
    const row = rowOf(name, known);
    if (isWorthSaving(stored.get(name), row)) {
      whenThereIsRoom(() => {
        events.deed(hubOrigin(clock), (tx, emit) => write(tx, emit, stored.get(name), row, known.observed.detail));
        stored.set(name, row);
      });
    }
    const { state, detail } = known.observed;
    const same = state === before.observed.state && detail === before.observed.detail && known.facts === before.facts;
    if (!same) needs.onChange();
  }

  function prepare(document: Pick<LabDocument, "machines">) {
    const nowMs = clock.nowMs();
    const next = Object.entries(document.machines).map(
      ([name, machine]) => [name, knownOf(machine, machines.get(name), stored.get(name), nowMs)] as const,
    );
    const gone = [...stored.keys()].filter((name) => !Object.hasOwn(document.machines, name));
    return {
      record(tx: Tx, emit: Emit) {
        for (const name of gone) {
          deleteMachine(tx, name);
          emit(`machine:${name}`, { type: "machine.removed" });
        }
        for (const [name, known] of next) write(tx, emit, stored.get(name), rowOf(name, known), known.observed.detail);
      },
      take() {
        machines.clear();
        stored.clear();
        for (const [name, known] of next) {
          machines.set(name, known);
          stored.set(name, rowOf(name, known));
        }
        needs.onChange();
      },
    };
  }

  return {
    prepare,
    update(document, origin) {
      const { record: recordAll, take } = prepare(document);
      events.deed(origin, recordAll);
      take();
    },
    list: () => [...machines].map(([name, known]) => show(name, known, needs.servicesOn(name))),
    names: () => [...machines.keys()],
    get: (name) => show(name, requireKnown(machines, name), needs.servicesOn(name)),
    targetOf(name) {
      const known = machines.get(name);
      return known && targetOf(known.document);
    },
    saw(name, target, seen) {
      const known = machines.get(name);
      if (known && isSameTarget(targetOf(known.document), target)) record(name, known, seen);
    },
  };
}

function requireKnown(machines: ReadonlyMap<string, Known>, name: string): Known {
  const known = machines.get(name);
  if (known) return known;
  const meant = nearest(name, [...machines.keys()]);
  throw new Fault("missing", `the lab has no machine ${name}`, {
    hint: meant === undefined ? `It has: ${[...machines.keys()].join(", ") || "none"}.` : `Did you mean ${meant}?`,
  });
}

/** What is seen cannot be refused: what finds no room is written at a later look, which finds it still unwritten. */
function whenThereIsRoom(write: () => void): void {
  try {
    write();
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code === "internal") throw thrown;
  }
}

function isWorthSaving(stored: MachineRow | undefined, row: MachineRow): boolean {
  if (stored === undefined || stored.state !== row.state || stored.facts !== row.facts) return true;
  return row.seenMs !== undefined && row.seenMs - (stored.seenMs ?? 0) >= saveMs;
}

/** The row, and what has changed since it was written last: each change is told once, from the state that was told before. */
function write(tx: Tx, emit: Emit, before: MachineRow | undefined, row: MachineRow, detail: string): void {
  const { name, kind, state } = row;
  saveMachine(tx, row);
  if (before === undefined) emit(`machine:${name}`, { type: "machine.added", kind });
  const from = before?.state ?? "unknown";
  if (from === state) return;
  emit(`machine:${name}`, { type: "machine.changed", from, to: state, reason: detail || "it answers" });
}

function rowOf(name: string, { document, observed, facts }: Known): MachineRow {
  const { state, sinceMs, seenMs } = observed;
  return { name, kind: document.kind, state, sinceMs, seenMs, facts };
}
