import { type LabDocument, type MachineDocument, nearest } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { MachineFacts, WireMachine } from "#wire/machine.ts";
import { type Look, lookedAt, neverSeen, type Observed, type Target, targetOf } from "./machine.ts";
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

/** Looks at one machine. */
export type LookAt = (target: Target, signal: AbortSignal) => Promise<{ look: Look; facts?: MachineFacts }>;

export interface Machines {
  /** The lab's machines are these from now on. */
  update(document: Pick<LabDocument, "machines">, origin: Origin): void;
  list(): readonly WireMachine[];
  /** Fault `missing` for a name the lab does not have. */
  get(name: string): WireMachine;
  /** Looks now, and records what came of it. */
  look(name: string, lookAt: LookAt, signal: AbortSignal): Promise<void>;
}

interface Known {
  readonly document: MachineDocument;
  observed: Observed;
  facts: MachineFacts | undefined;
  /** What the database holds. */
  savedSeenMs: number | undefined;
}

/** How exact "last seen" is over a crash of the hub: a write for each look would be a write too many. */
const saveMs = 60_000;
const hubOrigin: Origin = { actor: "hub", correlation: "hub" };

export function openMachines(needs: MachinesNeeds): Machines {
  const { db, events, clock } = needs;
  const stored = new Map(selectMachines(db).map((row) => [row.name, row]));
  const machines = new Map<string, Known>();

  const require = (name: string): Known => {
    const known = machines.get(name);
    if (known) return known;
    const meant = nearest(name, [...machines.keys()]);
    throw new Fault("missing", `the lab has no machine ${name}`, {
      hint: meant === undefined ? `It has: ${[...machines.keys()].join(", ") || "none"}.` : `Did you mean ${meant}?`,
    });
  };

  const record = (name: string, known: Known, { look, facts }: { look: Look; facts?: MachineFacts }) => {
    const before = known.observed;
    const after = lookedAt(before, known.document.kind, look, clock.nowMs());
    const newFacts = facts !== undefined && JSON.stringify(facts) !== JSON.stringify(known.facts);
    known.observed = after;
    known.facts = facts ?? known.facts;
    const changed = after.state !== before.state;
    if (changed || newFacts || (after.seenMs ?? 0) - (known.savedSeenMs ?? 0) >= saveMs) {
      events.deed(hubOrigin, (tx, emit) => {
        saveMachine(tx, rowOf(name, known));
        const { state: to, detail } = after;
        const reason = detail === "" ? "it answers" : detail;
        if (changed) emit(`machine:${name}`, { type: "machine.changed", from: before.state, to, reason });
      });
      known.savedSeenMs = after.seenMs;
    }
    if (changed || newFacts || after.detail !== before.detail) needs.onChange();
  };

  return {
    update(document, origin) {
      const wanted = Object.entries(document.machines);
      const kept = new Set(wanted.map(([name]) => name));
      const gone = [...stored.keys()].filter((name) => !kept.has(name));
      const added = wanted.filter(([name]) => !stored.has(name));
      const next = wanted.map(
        ([name, machine]) => [name, knownOf(machine, machines.get(name), stored.get(name), clock)] as const,
      );
      const rows = next.map(([name, known]) => rowOf(name, known));
      events.deed(origin, (tx, emit) => {
        for (const name of gone) {
          deleteMachine(tx, name);
          emit(`machine:${name}`, { type: "machine.removed" });
        }
        for (const row of rows) saveMachine(tx, row);
        for (const [name, { kind }] of added) emit(`machine:${name}`, { type: "machine.added", kind });
      });
      machines.clear();
      for (const [name, known] of next) machines.set(name, known);
      stored.clear();
      for (const row of rows) stored.set(row.name, row);
      needs.onChange();
    },
    list: () => [...machines].map(([name, known]) => show(name, known, needs.servicesOn(name))),
    get: (name) => show(name, require(name), needs.servicesOn(name)),
    async look(name, lookAt, signal) {
      const known = require(name);
      const outcome = await lookAt(targetOf(known.document), signal);
      // The lab may have dropped it meanwhile.
      if (machines.get(name) === known) record(name, known, outcome);
    },
  };
}

/** What was known of it counts for as long as it is the same machine at the same place. */
function knownOf(document: MachineDocument, now: Known | undefined, row: MachineRow | undefined, clock: Clock): Known {
  if (now && JSON.stringify(targetOf(now.document)) === JSON.stringify(targetOf(document))) {
    if (now.document.kind === document.kind) return { ...now, document };
  }
  const fresh = neverSeen(clock.nowMs());
  if (now || !row) return { document, observed: fresh, facts: undefined, savedSeenMs: undefined };
  const { state, sinceMs, seenMs, facts } = row;
  const observed = row.kind === document.kind ? { ...fresh, state, sinceMs, seenMs } : { ...fresh, seenMs };
  return { document, observed, facts, savedSeenMs: seenMs };
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
