import { type LabDocument, type MachineDocument, nearest } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { MachineFacts, WireMachine } from "#wire/machine.ts";
import { factsAfter, isSame, type Look, lookedAt, neverSeen, type Observed, type Target, targetOf } from "./machine.ts";
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

/** Looks at one machine; `facts` when it says what it is. */
export type LookAt = (target: Target, signal: AbortSignal) => Promise<{ look: Look; facts?: MachineFacts }>;

/** The machines of the lab. What was seen of them outlives the hub; what they are called is the lab's to say. */
export interface Machines {
  /** The lab's machines are these from now on. */
  update(document: Pick<LabDocument, "machines">, origin: Origin): void;
  list(): readonly WireMachine[];
  names(): readonly string[];
  /** Fault `missing` for a name the lab does not have. */
  get(name: string): WireMachine;
  /**
   * Looks now, and records what came of it: one event for each change of state. Nothing for a name the lab does not have
   * (any more). While the disk is full what was seen is shown all the same, and told once there is room.
   */
  look(name: string, lookAt: LookAt, signal: AbortSignal): Promise<void>;
}

interface Known {
  readonly document: MachineDocument;
  observed: Observed;
  facts: MachineFacts | undefined;
}

/** How exact "last seen" is over a crash of the hub: a write for each look would be a write too many. */
const saveMs = 60_000;
const hubOrigin: Origin = { actor: "hub", correlation: "hub" };

export function openMachines(needs: MachinesNeeds): Machines {
  const { db, events, clock } = needs;
  /** What the database holds, and so what the events have told. */
  const stored = new Map(selectMachines(db).map((row) => [row.name, row]));
  const machines = new Map<string, Known>();

  function record(name: string, known: Known, { look, facts }: Awaited<ReturnType<LookAt>>) {
    const before = { ...known };
    known.observed = lookedAt(before.observed, known.document.kind, look, clock.nowMs());
    known.facts = factsAfter(before.facts, facts);
    const row = rowOf(name, known);
    if (isWorthSaving(stored.get(name), row)) {
      whenThereIsRoom(() => {
        events.deed(hubOrigin, (tx, emit) => {
          saveMachine(tx, row);
          emitChange(emit, stored.get(name), row, known.observed.detail);
        });
        stored.set(name, row);
      });
    }
    const { state, detail } = known.observed;
    const same = state === before.observed.state && detail === before.observed.detail && known.facts === before.facts;
    if (!same) needs.onChange();
  }

  return {
    update(document, origin) {
      const wanted = Object.entries(document.machines);
      const gone = [...stored.keys()].filter((name) => !Object.hasOwn(document.machines, name));
      const next = wanted.map(
        ([name, machine]) => [name, knownOf(machine, machines.get(name), stored.get(name), clock.nowMs())] as const,
      );
      const rows = next.map(([name, known]) => [rowOf(name, known), known.observed.detail] as const);
      events.deed(origin, (tx, emit) => {
        for (const name of gone) {
          deleteMachine(tx, name);
          emit(`machine:${name}`, { type: "machine.removed" });
        }
        for (const [row, detail] of rows) {
          saveMachine(tx, row);
          emitChange(emit, stored.get(row.name), row, detail);
        }
      });
      machines.clear();
      for (const [name, known] of next) machines.set(name, known);
      stored.clear();
      for (const [row] of rows) stored.set(row.name, row);
      needs.onChange();
    },
    list: () => [...machines].map(([name, known]) => show(name, known, needs.servicesOn(name))),
    names: () => [...machines.keys()],
    get: (name) => show(name, requireKnown(machines, name), needs.servicesOn(name)),
    async look(name, lookAt, signal) {
      const known = machines.get(name);
      if (!known) return;
      const outcome = await lookAt(targetOf(known.document), signal);
      // The lab may have dropped or moved it meanwhile.
      const now = machines.get(name);
      if (now && isSame(now.document, known.document)) record(name, now, outcome);
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

/** What has changed since the database was written last: every change is told once, from the state that was told before. */
function emitChange(emit: Emit, stored: MachineRow | undefined, { name, kind, state }: MachineRow, detail: string) {
  const subject = `machine:${name}`;
  if (stored === undefined) emit(subject, { type: "machine.added", kind });
  const from = stored?.state ?? "unknown";
  if (from !== state) emit(subject, { type: "machine.changed", from, to: state, reason: detail || "it answers" });
}

/** What was known of it counts for as long as it is the same machine at the same place. */
function knownOf(document: MachineDocument, now: Known | undefined, row: MachineRow | undefined, nowMs: number): Known {
  if (now && isSame(now.document, document)) return { ...now, document };
  const fresh = neverSeen(nowMs);
  if (now || row?.kind !== document.kind) return { document, observed: fresh, facts: undefined };
  const { state, sinceMs, seenMs, facts } = row;
  return { document, observed: { ...fresh, state, sinceMs, seenMs }, facts };
}

function rowOf(name: string, { document, observed, facts }: Known): MachineRow {
  const { state, sinceMs, seenMs } = observed;
  return { name, kind: document.kind, state, sinceMs, seenMs, facts };
}

function show(name: string, { document, observed, facts }: Known, services: readonly string[]): WireMachine {
  const { state, detail, sinceMs, seenMs, latencyMs } = observed;
  const tailscale = document.kind === "workstation" ? document.tailscale : undefined;
  return {
    name,
    kind: document.kind,
    ...(document.address === undefined ? {} : { address: document.address }),
    ...(tailscale === undefined ? {} : { tailscale }),
    labels: { ...document.labels },
    ...{ state, detail, sinceMs },
    ...(seenMs === undefined ? {} : { seenMs }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(facts === undefined ? {} : { facts }),
    services: [...services],
  };
}
