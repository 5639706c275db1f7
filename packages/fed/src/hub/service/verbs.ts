import type { LabDocument } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import { type ResolvedService, referredServices } from "./service.ts";
import { insertDoor, type SpecRow, saveSpec, selectDoors, selectSpecs, trimSpecs } from "./store.ts";

interface Needs {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
}

/** Doors are handed out from here: outside of what the system gives to outgoing connections. */
const doorPorts = { first: 30_000, last: 32_767 } as const;

/** Sees to it that every service others refer to has its door; returns the port by key. */
export function handOutDoors(
  needs: Needs,
  origin: Origin,
  document: LabDocument,
  seed: number,
): ReadonlyMap<string, number> {
  const doors = new Map(selectDoors(needs.db));
  const missing = referredServices(document).filter((key) => !doors.has(key));
  if (missing.length === 0) return doors;
  const taken = new Set(doors.values());
  const span = doorPorts.last - doorPorts.first + 1;
  needs.events.deed(origin, (tx) => {
    let at = seed % span;
    for (const key of missing) {
      for (let tried = 0; taken.has(doorPorts.first + at); tried++, at = (at + 1) % span) {
        if (tried === span) throw new Fault("conflict", "no port is left for one more door between services");
      }
      const port = doorPorts.first + at;
      taken.add(port);
      doors.set(key, port);
      insertDoor(tx, key, port);
    }
  });
  return doors;
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
