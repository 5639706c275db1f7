import type { LabDocument } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import { withDoors } from "./door.ts";
import { type ResolvedService, referredServices } from "./service.ts";
import {
  insertDoor,
  insertRestart,
  type SpecRow,
  saveSpec,
  selectDoors,
  selectRestarts,
  selectSpecs,
  trimSpecs,
} from "./store.ts";

interface Needs {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
}

/** The doors of every service others refer to: those handed out before, and new ones for the rest. Writes nothing. */
export function chooseDoors(db: Database, document: LabDocument, seed: number): ReadonlyMap<string, number> {
  return withDoors(selectDoors(db), referredServices(document), seed);
}

/** Records the doors that were chosen, so that they stay the same over releases and restarts. */
export function handOutDoors(needs: Needs, origin: Origin, doors: ReadonlyMap<string, number>): void {
  const known = selectDoors(needs.db);
  const added = [...doors].filter(([key]) => !known.has(key));
  if (added.length === 0) return;
  needs.events.deed(origin, (tx) => {
    for (const [key, port] of added) insertDoor(tx, key, port);
  });
}

/** Records that somebody wants new instances of a service. */
export function askRestart(needs: Needs, origin: Origin, key: string): void {
  const generation = (selectRestarts(needs.db).get(key) ?? 0) + 1;
  needs.events.deed(origin, (tx, emit) => {
    insertRestart(tx, key, generation, needs.clock.nowMs());
    emit(`service:${key}`, { type: "service.restartAsked", generation });
  });
}

/** How often a restart of each service was asked for, by key. */
export function restartsAsked(db: Database): ReadonlyMap<string, number> {
  return selectRestarts(db);
}

/** Remembers what the specs were made from. */
export function rememberSpecs(needs: Needs, origin: Origin, services: readonly ResolvedService[]): void {
  const nowMs = needs.clock.nowMs();
  needs.events.deed(origin, (tx) => {
    for (const { spec, key, fields, contract } of services) {
      saveSpec(tx, { hash: spec, service: key, fields, contract }, nowMs);
    }
    trimSpecs(tx);
  });
}

/** Every remembered spec, by hash. */
export function rememberedSpecs(db: Database): Map<string, SpecRow> {
  return new Map(selectSpecs(db).map((row) => [row.hash, row]));
}
